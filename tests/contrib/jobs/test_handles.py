"""Handles and batches of jobs that are in a real database, and run by a real worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fastforge.contrib.db import atomic, session
from fastforge.tasks import JobCancelled, JobFailed, JobState, JobUnknown, Progress, enqueue_many
from tests.folder import isolated

from .shop import Shop

MORE = """
    from datetime import date

    from pydantic import BaseModel

    from fastforge.tasks import Retry, Unique, task
    from fastforge.tasks.progress import report_progress

    class Receipt(BaseModel):
        number: int
        day: date

    @task
    async def receipt(number: int) -> Receipt:
        report_progress(1, 2, "half")
        return Receipt(number=number, day=date(2026, 12, 24))

    @task(retry=Retry(never_for=(LookupError,)))
    def lose(number: int) -> int:
        raise KeyError(number)

    @task(unique=Unique(by="number"))
    async def once(number: int, text: str = "") -> int:
        return number
"""


@pytest.fixture
def shop(tmp_path: Path, each_database_url: str) -> Iterator[Shop]:
    with isolated(tmp_path) as folder:
        shop = Shop(folder, each_database_url, tasks="")
        folder.write({"shop/receipts/__init__.py": "", "shop/receipts/tasks.py": MORE})
        settings = folder.path / "shop/settings.py"
        settings.write_text(settings.read_text().replace('"shop"]', '"shop", "shop.receipts"]'))
        yield shop


async def test_a_result_arrives_typed_while_somebody_waits(shop: Shop) -> None:
    await shop.create_table()
    async with shop.enqueueing():
        import shop.receipts.tasks as tasks  # type: ignore[import-not-found]

        handle = await tasks.receipt.enqueue(number=7)
        assert await handle.state() is JobState.READY
        with shop.worker("--burst"):
            found = await handle.wait(timeout_s=60)
        assert isinstance(found, tasks.Receipt)
        assert (found.number, found.day.isoformat()) == (7, "2026-12-24")
        again = tasks.receipt.job(handle.uid)
        assert await again.result() == found
        assert await again.progress() in (None, Progress(done=1, total=2, message="half"))
        assert await again.cancel() is False


async def test_a_batch_is_waited_for_and_what_comes_then_runs(shop: Shop) -> None:
    await shop.create_table()
    async with shop.enqueueing():
        import shop.receipts.tasks as tasks

        calls = [tasks.receipt.call(1), tasks.lose.call(2), tasks.receipt.call(3)]
        batch = await enqueue_many(calls, then=tasks.once.call(9))
        with shop.worker("--burst") as worker:
            record = await batch.wait(timeout_s=60)
            assert worker.wait() == 0, worker.output
        assert (record.total, record.failed) == (3, 1)
        with pytest.raises(JobFailed, match="KeyError: 2") as caught:
            await batch.handles[1].result()
        assert [error.attempt for error in caught.value.errors] == [1]
    then = (await shop.jobs())[-1]
    assert (then.payload, then.state) == ({"number": 9}, JobState.DONE)


async def test_what_using_says_is_kept(shop: Shop) -> None:
    await shop.create_table()
    async with shop.enqueueing() as tasks:
        later = tasks.work.using(
            queue="bulk", delay=timedelta(hours=1), priority=-32_768, expires=timedelta(hours=2)
        )
        record = await (await later.enqueue(number=7)).record()
    assert (record.queue, record.priority, record.state) == ("bulk", -32_768, JobState.READY)
    assert record.expires_at is not None
    assert record.run_at - record.enqueued_at == pytest.approx(
        timedelta(hours=1), abs=timedelta(minutes=1)
    )
    assert record.expires_at - record.run_at == pytest.approx(
        timedelta(hours=1), abs=timedelta(minutes=1)
    )


async def test_a_second_unique_job_is_the_first(shop: Shop) -> None:
    await shop.create_table()
    async with shop.enqueueing():
        import shop.receipts.tasks as tasks

        first = await tasks.once.enqueue(number=1)
        again = await tasks.once.enqueue(number=1, text="again")
        assert (again.uid, again.is_new) == (first.uid, False)
        assert await again.cancel() is True
        with pytest.raises(JobCancelled):
            await first.result()
        assert (await tasks.once.enqueue(number=1)).is_new
        batch = await enqueue_many([tasks.once.call(1), tasks.once.call(2)])
        assert [handle.is_new for handle in batch.handles] == [False, True]
        assert (await batch.record()).total == 1


async def test_what_is_not_committed_is_waited_for_by_nobody(shop: Shop) -> None:
    await shop.create_table()
    async with shop.enqueueing() as tasks, session():
        async with atomic():
            handle = await tasks.work.enqueue(number=7)
            batch = await tasks.work.enqueue_many([tasks.work.call(8)])
            assert await handle.state() is JobState.READY
            for waiting in (handle.wait(), batch.wait()):
                with pytest.raises(JobUnknown, match="once its transaction has committed"):
                    await waiting
        with shop.worker("--burst"):
            assert await handle.wait(timeout_s=60) is None


async def test_a_batch_that_is_rolled_back_has_never_been(shop: Shop) -> None:
    await shop.create_table()
    async with shop.enqueueing() as tasks, session() as db:
        with pytest.raises(KeyError):
            async with db.atomic():
                batch = await enqueue_many([tasks.work.call(1)], then=tasks.work.call(2))
                raise KeyError("rolled back")
        with pytest.raises(JobUnknown):
            await batch.record()
    assert await shop.jobs() == []
