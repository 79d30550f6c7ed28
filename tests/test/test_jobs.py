"""The fixture `jobs` in a pytest of its own, on each backend and each database."""

from __future__ import annotations

import pytest

from tests.conftest import with_driver

from .conftest import Suite

ANYIO = ["-p", "no:asyncio", "-o", "anyio_mode=auto"]

PROJECT = {
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database
        from fastforge.tasks import Tasks

        SECRET_KEY = env.secret("SECRET_KEY")
        INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop.notes"]
        if env("BACKEND") == "arq":
            from fastforge.contrib.redis import Redis

            INSTALLED_APPS[2:2] = ["fastforge.contrib.redis", "fastforge.contrib.arq"]
            REDIS = Redis(url=env("REDIS_URL"))
        DATABASES = {
            "default": Database(url=env("DATABASE_URL", default="sqlite+aiosqlite:///db.sqlite3"))
        }
        TASKS = Tasks(backend=env("BACKEND"))
        """,
    "shop/notes/tasks.py": """
        from datetime import date, timedelta

        from fastforge import injected, task
        from fastforge.contrib.db import DbSession
        from fastforge.tasks import Retry
        from fastforge.tasks.progress import report_progress

        from .models import Note

        ran: list[object] = []

        @task(queue="loud")
        async def shout(note_id: int, day: date | None = None, *, db: DbSession = injected) -> str:
            ran.append(day)
            async with db.atomic():
                note = await db.get_one(Note, note_id)
                note.text = note.text.upper()
            return note.text

        @task
        def add(first: int, second: int = 1) -> int:
            report_progress(1, 1)
            return first + second

        @task(retry=Retry(max_attempts=2, base_s=300, jitter=False))
        async def fail(word: str) -> None:
            ran.append(word)
            raise KeyError(word)

        @task
        async def chain(depth: int) -> None:
            ran.append(depth)
            if depth:
                await chain.enqueue(depth - 1)

        @task
        async def endless() -> None:
            await endless.enqueue()
        """,
    "shop/notes/routes.py": """
        from fastapi import APIRouter, HTTPException
        from fastforge.contrib.db import DbSession
        from sqlalchemy import select

        from .models import Note
        from .tasks import chain, fail, shout

        router = APIRouter()

        @router.get("/notes")
        async def notes(db: DbSession) -> list[str]:
            return list(await db.scalars(select(Note.text).order_by(Note.id)))

        @router.post("/notes", status_code=201)
        async def add_note(text: str, db: DbSession, refused: bool = False) -> int:
            note = Note(text=text)
            db.add(note)
            await db.flush()
            await shout.enqueue(note_id=note.id)
            if refused:
                raise HTTPException(409)
            return note.id

        @router.post("/failures")
        async def failure() -> None:
            await fail.enqueue("first")
            await fail.enqueue("second")

        @router.post("/chains")
        async def chains(depth: int) -> None:
            await chain.enqueue(depth)
        """,
    "shop/notes/schedules.py": """
        from fastforge import every

        from .tasks import add

        nightly = every("0 3 * * *", add.call(40), zone="Europe/Berlin")
        """,
    "tests/conftest.py": """
        import pytest
        from fastforge import Role
        from shop.notes.tasks import ran

        @pytest.fixture(autouse=True)
        def forget():
            ran.clear()

        @pytest.fixture
        def run(project):
            return lambda: project.running(Role.COMMAND)
        """,
}

ASSERTIONS = """
    from datetime import date, timedelta

    import pytest
    from fastforge.exceptions import TaskError
    from fastforge.tasks import JobState
    from shop.notes.tasks import add, shout

    async def test_nothing_is_enqueued_at_first(jobs):
        assert await jobs.enqueued() == []
        await jobs.assert_not_enqueued()
        assert await jobs.drain() == []

    async def test_what_a_request_has_enqueued_is_found(client, jobs):
        note = (await client.post("/notes", params={"text": "hello"})).json()
        job = await jobs.assert_enqueued(shout, note_id=note)
        assert (job.queue, job.payload) == ("loud", {"note_id": note})
        assert await jobs.enqueued() == await jobs.enqueued(shout) == [job]
        assert await jobs.enqueued(add) == []
        await jobs.assert_not_enqueued(add)
        await jobs.assert_not_enqueued(shout, note_id=note + 1)

    async def test_a_request_that_is_refused_has_enqueued_nothing(client, jobs):
        answer = await client.post("/notes", params={"text": "x", "refused": True})
        assert answer.status_code == 409
        await jobs.assert_not_enqueued()

    async def test_arguments_are_compared_as_they_travel(jobs, run):
        async with run():
            await shout.enqueue(1, day=date(2026, 1, 2))
        await jobs.assert_enqueued(shout, day=date(2026, 1, 2))
        await jobs.assert_enqueued(shout, day="2026-01-02", note_id="1")

    async def test_a_failing_assertion_tells_what_there_is(jobs, run):
        async with run():
            await add.enqueue(1)
            await add.using(delay=timedelta(hours=1)).enqueue(7, second=8)
        with pytest.raises(AssertionError) as failure:
            await jobs.assert_enqueued(add, first=7, second=9)
        assert failure.traceback[-1].frame.f_locals["__tracebackhide__"]  # the test's line is shown
        assert str(failure.value).splitlines() == [
            "no job waits that is shop.notes.tasks.add(first=7, second=9)",
            "the nearest, due in 3600 s, has second=8 and not 9",
            "what waits:",
            "  shop.notes.tasks.add(first=1) in default, due now",
            "  shop.notes.tasks.add(first=7, second=8) in default, due in 3600 s",
        ]
        with pytest.raises(AssertionError, match="should not:\\n  shop.notes.tasks.add.first=1"):
            await jobs.assert_not_enqueued(add, first=1)
        await jobs.drain()
        with pytest.raises(AssertionError, match="the nearest, done, is the same"):
            await jobs.assert_enqueued(add, first=1)

    async def test_what_the_task_does_not_take_is_refused(jobs):
        with pytest.raises(TaskError, match=r"unknown argument 'frist'.* 'first'"):
            await jobs.assert_enqueued(add, frist=1)
        with pytest.raises(TaskError, match="first='x'"):
            await jobs.assert_enqueued(add, first="x")
    """

DRAINING = """
    from datetime import UTC, datetime, timedelta

    import pytest
    from fastforge.exceptions import TaskError
    from fastforge.tasks import JobState, Progress
    from shop.notes.tasks import add, chain, endless, fail, ran, shout

    async def test_it_runs_what_is_due(client, jobs):
        await client.post("/notes", params={"text": "hello"})
        (job,) = await jobs.drain()
        assert (job.state, job.result) == (JobState.DONE, "HELLO")
        assert (await client.get("/notes")).json()[-1] == "HELLO"
        assert await jobs.enqueued() == []

    async def test_it_runs_plain_functions_and_keeps_what_they_say(jobs, run):
        async with run():
            handle = await add.enqueue(40, second=2)
            await jobs.drain()
            assert await handle.result() == 42
            assert await handle.progress() == Progress(done=1, total=1)

    async def test_it_runs_what_a_job_enqueues(jobs, run):
        async with run():
            await chain.enqueue(3)
        assert len(await jobs.drain()) == 4
        assert ran == [3, 2, 1, 0]

    async def test_what_a_job_raises_reaches_the_test(jobs, run):
        async with run():
            await fail.enqueue("boom")
        with pytest.raises(KeyError, match="boom") as raised:
            await jobs.drain()
        assert "fail(word='boom'), attempt 1 of 2" in raised.value.__notes__[0]
        (job,) = await jobs.enqueued(fail)
        assert (job.attempt, len(job.errors)) == (1, 1)
        assert await jobs.drain() == []

    async def test_or_is_recorded_alone(jobs, run):
        async with run():
            await fail.enqueue("boom")
            await add.enqueue(1)
        failed, added = await jobs.drain(raises=False)
        assert (failed.state, added.state) == (JobState.READY, JobState.DONE)

    async def test_a_backoff_is_over_when_the_clock_says_so(jobs, run):
        async with run():
            await fail.enqueue("boom")
        await jobs.drain(raises=False)
        jobs.clock.advance(timedelta(minutes=4))
        assert await jobs.drain(raises=False) == []
        jobs.clock.advance(timedelta(minutes=2))
        (job,) = await jobs.drain(raises=False)
        assert (job.state, len(job.errors)) == (JobState.DEAD, 2)

    async def test_a_delay_is_over_when_the_clock_says_so(jobs, run):
        async with run():
            await add.using(delay=timedelta(days=2)).enqueue(1)
        assert await jobs.drain() == []
        jobs.clock.advance(timedelta(days=2))
        assert len(await jobs.drain()) == 1

    async def test_a_moment_that_is_now_is_due_also_late_in_a_test(jobs, run):
        async with run():
            await add.enqueue(1)
            await add.using(run_at=datetime.now(UTC)).enqueue(1)
        assert len(await jobs.drain()) == 2

    async def test_it_can_run_what_is_due_later(jobs, run):
        async with run():
            await fail.enqueue("boom")
            await add.using(delay=timedelta(days=1)).enqueue(1)
        assert [job.state for job in await jobs.drain(with_scheduled=True, raises=False)] == [
            JobState.DEAD,
            JobState.DONE,
        ]
        assert ran == ["boom", "boom"]
        assert jobs.clock.ahead > timedelta(hours=23)

    async def test_a_real_worker_goes_by_the_same_clock(jobs, run, run_command):
        async with run():
            await add.using(delay=timedelta(days=2)).enqueue(1)
        assert run_command("runworker", "--burst").exit_code == 0
        await jobs.assert_enqueued(add)
        jobs.clock.advance(timedelta(days=2))
        assert run_command("runworker", "--burst").exit_code == 0
        await jobs.assert_not_enqueued(add)

    async def test_schedules_enqueue_what_becomes_due_while_time_passes(jobs):
        await jobs.let_pass(timedelta(hours=24))
        job = await jobs.assert_enqueued(add, first=40)
        await jobs.drain()
        await jobs.let_pass(timedelta(hours=24))
        assert [each.uid == job.uid for each in await jobs.drain()] == [False]
        assert timedelta(days=1) < jobs.clock.ahead <= timedelta(days=2)

    async def test_the_clock_of_the_next_test_is_right(jobs):
        assert jobs.clock.ahead == timedelta()

    async def test_a_job_that_enqueues_itself_is_no_endless_test(jobs, run):
        async with run():
            await endless.enqueue()
        with pytest.raises(TaskError, match=r"5 jobs were run.*endless\\(\\)"):
            await jobs.drain(limit=5)

    async def test_a_job_that_has_expired_is_told_of(jobs, run):
        async with run():
            await add.using(expires=timedelta(hours=1)).enqueue(1)
        jobs.clock.advance(timedelta(hours=2))
        with pytest.raises(TaskError, match="was not run: JobExpired"):
            await jobs.drain()
    """

INLINE = """
    import pytest
    from fastforge.tasks import JobState
    from shop.notes.tasks import add, chain, fail, ran, shout

    async def test_a_job_runs_when_its_request_commits(client, jobs):
        with jobs.inline():
            await client.post("/notes", params={"text": "hello"})
            assert (await client.get("/notes")).json()[-1] == "HELLO"
        await client.post("/notes", params={"text": "later"})
        assert (await client.get("/notes")).json()[-1] == "later"
        await jobs.assert_enqueued(shout)

    async def test_it_does_not_when_the_request_is_refused(client, jobs):
        with jobs.inline():
            await client.post("/notes", params={"text": "hello", "refused": True})
        assert ran == []

    async def test_a_job_runs_at_once_where_no_transaction_is(jobs, run):
        async with run():
            with jobs.inline():
                handle = await add.enqueue(40, second=2)
                assert await handle.state() is JobState.DONE
                assert await handle.result() == 42

    async def test_what_jobs_enqueue_runs_after_them(client, jobs):
        with jobs.inline():
            await client.post("/chains", params={"depth": 3})
            assert ran == [3, 2, 1, 0]

    async def test_what_jobs_raise_is_raised_at_the_end(client, jobs, run):
        async with run():
            with pytest.raises(KeyError, match="boom"):
                with jobs.inline():
                    await fail.enqueue("boom")
                    await add.enqueue(1)
        with pytest.raises(BaseExceptionGroup) as group:
            with jobs.inline():
                assert (await client.post("/failures")).status_code == 200
        assert [error.args for error in group.value.exceptions] == [("first",), ("second",)]
        async with run():
            with jobs.inline(raises=False):
                await fail.enqueue("boom")
    """


@pytest.mark.parametrize(
    "backend",
    ["memory", "sqlite", "asyncpg", pytest.param("psycopg", marks=pytest.mark.long), "arq"],
)
def test_jobs_are_seen_and_run(request: pytest.FixtureRequest, suite: Suite, backend: str) -> None:
    suite.write(
        {
            **PROJECT,
            "tests/test_assertions.py": ASSERTIONS,
            "tests/test_draining.py": DRAINING,
            "tests/test_inline.py": INLINE,
        }
    )
    env = {"BACKEND": backend if backend in ("memory", "arq") else "database"}
    if backend == "arq":  # of which no test asks anything
        env["REDIS_URL"] = "redis://127.0.0.1:1/0"
    if backend in ("asyncpg", "psycopg"):
        env["DATABASE_URL"] = with_driver(request.getfixturevalue("postgres_dsn"), backend)
    done = suite.run(*ANYIO, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "25 passed" in done.stdout


def test_jobs_of_a_test_meet_the_real_redis_when_it_asks_for_that(
    suite: Suite, redis_url: str
) -> None:
    suite.write(
        {
            **PROJECT,
            "tests/test_redis.py": """
                from fastforge import Role
                from fastforge.contrib.arq.resources import arq_jobs
                from fastforge.contrib.redis import redis_client
                from fastforge.test.jobs import Jobs
                from shop.notes.tasks import add

                async def test_it_is_there(project, fastforge_session):
                    real = project.overriding(resources={arq_jobs: arq_jobs})
                    async with real.running(Role.COMMAND) as container:
                        await add.enqueue(1)
                        jobs = Jobs(real, fastforge_session.backends)
                        assert await container[redis_client].exists("arq:queue")
                        (job,) = await jobs.drain()
                        assert job.result == 2
                        await jobs.close()
                """,
        }
    )
    done = suite.run(*ANYIO, "tests/test_redis.py", env={"BACKEND": "arq", "REDIS_URL": redis_url})
    assert done.returncode == 0, done.stdout + done.stderr
