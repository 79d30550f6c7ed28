"""What a database reads of a table of many jobs: whatever is asked often, never the whole table."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.jobs import JobStore, upkeep
from fastforge.contrib.jobs.outbox import Outbox
from fastforge.contrib.jobs.statements import pruning
from fastforge.contrib.jobs.statements.tables import SCHEDULE_RUN
from fastforge.tasks import JobQuery, JobState, Outcome, Settlement, Verdict
from fastforge.tasks.clock import Clock
from fastforge.tasks.envelope import new_uid
from fastforge.tasks.ledger import ScheduledRun
from fastforge.tasks.limits import Pace, Slots, UniqueKey
from fastforge.tasks.records import Progress, QueueStats, WorkerBeat

from .conftest import opened
from .doing import claim, job
from .statements import sent

ROWS = 20_000
BLOCKED = Slots(key="blocked", limit=1)

# Most are done; of each hundred some wait, are dead, cancelled, or held for one of two reasons.
FILL = """
INSERT INTO jobs_job (uid, task, queue, version, payload, headers, state, priority, run_at, attempt,
    max_attempts, lease_until, worker_id, enqueued_at, finished_at, keep_until, paced, cancelling,
    slots_key, slots_limit, pace_key, pace_limit, pace_per_s)
SELECT {uid}, 'a', 'q' || (i % 7), 1, '{payload}', '{{}}',
    state, 0, {past}, 1, 10, CASE WHEN state = 1 THEN {past} END, 'w9', {past},
    CASE WHEN state >= 2 THEN {past} END, CASE WHEN state >= 2 THEN {later} END,
    state = -1 AND i % 2 = 0, false,
    CASE WHEN i % 9 = 0 OR state = -1 THEN 'k' || (i % 50) END, 1000,
    CASE WHEN i % 9 = 1 OR (state = -1 AND i % 2 = 0) THEN 'p' || (i % 50) END, 1, 60
FROM (SELECT i, CASE WHEN i % 100 < 10 THEN 0 WHEN i % 1000 = 10 THEN 1 WHEN i % 100 = 11 THEN 3
    WHEN i % 100 = 12 THEN 4 WHEN i % 100 < 17 THEN -1 ELSE 2 END AS state FROM {numbers}) AS each
"""
PAYLOAD = json.dumps({"text": "of usual length" * 30})
ON_SQLITE = {
    "uid": "lower(hex(randomblob(16)))",
    "past": "strftime('%Y-%m-%d %H:%M:%f000', 'now', (-i) || ' seconds')",
    "later": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '+1 day', (-i) || ' seconds')",
    "numbers": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    f" WHERE i < {ROWS}) SELECT i FROM n)",
}
ON_POSTGRESQL = {
    "uid": "gen_random_uuid()",
    "past": "now() - i * interval '1 second'",
    "later": "now() + interval '1 day' - i * interval '1 second'",
    "numbers": f"generate_series(1, {ROWS}) AS i",
}


@pytest.fixture(params=["sqlite_url", "postgres_url"], ids=["sqlite", "postgresql"])
async def db(request: pytest.FixtureRequest) -> AsyncIterator[DatabaseConnection]:
    """A table of many jobs, of which the database knows how many there are of each kind."""
    async with opened(request.getfixturevalue(request.param)) as connection:
        words = ON_SQLITE if is_sqlite(connection) else ON_POSTGRESQL
        async with connection.engine.begin() as own:
            await own.exec_driver_sql(
                FILL.format(**words, payload=json.dumps({"text": "of usual length" * 30}))
            )
        if not is_sqlite(connection):  # there by itself, soon
            alone = connection.engine.execution_options(isolation_level="AUTOCOMMIT")
            async with alone.connect() as own:
                await own.exec_driver_sql("VACUUM ANALYZE")
        yield connection


@pytest.fixture(autouse=True)
def fewer_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """For 1000 of so few rows PostgreSQL rightly reads all of them."""
    monkeypatch.setattr(pruning, "PRUNE_LIMIT", 10)
    monkeypatch.setattr(upkeep, "PRUNE_FOR_S", 0)


def is_sqlite(db: DatabaseConnection) -> bool:
    return db.engine.dialect.name == "sqlite"


class Plans:
    """How the database would run what is done.

    Args:
        db: The database.
        indexes: Those of the table that may be read from their beginning to their end on SQLite.

    Attributes:
        whole: The lines that say that all of the table of jobs is read, by what was done.
    """

    def __init__(self, db: DatabaseConnection, *, indexes: str = "[a-z_]+") -> None:
        self.whole: dict[str, list[str]] = {}
        self._db = db
        self._indexes = indexes

    def __repr__(self) -> str:
        return "\n".join(line for lines in self.whole.values() for line in lines)

    async def of(self, what: str, doing: Awaitable[Any]) -> Any:
        """Do something, and look how."""
        with sent(self._db) as statements:
            result = await doing
        assert statements, what
        for text, parameters in statements:
            found = [
                line
                for line in await self.lines(text, parameters)
                if _is_whole(line, self._indexes)
            ]
            if found:
                self.whole.setdefault(what, []).extend([" ".join(text.split()), *found])
        return result

    async def lines(self, text: str, parameters: Any) -> list[str]:
        """Say how the database would run a statement."""
        word = "EXPLAIN QUERY PLAN" if is_sqlite(self._db) else "EXPLAIN"
        async with self._db.engine.begin() as connection:
            rows = await connection.exec_driver_sql(f"{word} {text}", parameters)
            return [str(row[-1]) for row in rows]


# Of what is told by SQLite: recursive lanes and what is given as a parameter are no tables.
NO_TABLES = r"\(|lanes|keys|states|given|counted|placed|chosen|anon|CONSTANT|json|[a-z_]*_raw"


def _is_whole(line: str, indexes: str) -> bool:
    if "Seq Scan on jobs_job" in line:
        return True
    scan = re.fullmatch(rf"SCAN (?!{NO_TABLES}|jobs_(?!job))(\S+)(.*)", line.strip())
    return scan is not None and not re.search(rf" INDEX ix_jobs_job_({indexes})$", scan[2])


async def test_no_statement_of_a_worker_reads_the_whole_table(db: DatabaseConnection) -> None:
    few = "lease|forwarding|cancelling"
    store, plans = JobStore(db.engine), Plans(db, indexes=few)
    for what, do in (("jobs", live), ("old jobs", prune), ("jobs on their way", forward)):
        await do(store, plans)
        assert not plans.whole, (what, plans)


async def live(store: JobStore, plans: Plans) -> None:
    """Do what a worker does, also with jobs that may not begin."""
    pace = Pace(key="often", limit=1, per_s=30)
    wanted = [
        *(job(slots=BLOCKED, unique=UniqueKey(key=str(number))) for number in range(4)),
        *(job(pace=pace) for _ in range(6)),
        *(job() for _ in range(4)),
    ]
    await plans.of("enqueue", store.enqueue(wanted))
    claims = await plans.of("claim", claim(store, limit=20))
    assert claims
    await plans.of("claim nothing", claim(store, limit=20))
    await plans.of("attend", store.attend("w1", {claims[0]: Progress(done=1)}))
    for turn in range(5):  # each prunes something else
        await plans.of(f"renew {turn}", store.renew("w1", claims, lease_s=60))
    done = Outcome(verdict=Verdict.SUCCEEDED)
    ended = [Settlement(claim=each, outcome=done) for each in claims]
    await plans.of("settle", store.settle("w1", ended))
    await plans.of("strays", store.give_back_strays("w1", ()))
    await plans.of("beat", store.beat(a_beat()))
    await plans.of("schedules", store.ledger.latest(["s"]))
    run = ScheduledRun(schedule="s", due_at=datetime.now(UTC))
    await plans.of("schedule", store.ledger.enter(run, job()))
    await plans.of("leave", store.leave("w1"))


async def prune(store: JobStore, plans: Plans) -> None:
    """Delete ended jobs whose time is over."""
    before = await store.desk.count(JobQuery())
    store.clock.advance(timedelta(days=2))
    await plans.of("renew", store.renew("w1", (), lease_s=60))
    assert await store.desk.count(JobQuery()) == before - pruning.PRUNE_LIMIT


async def forward(store: JobStore, plans: Plans) -> None:
    """Look for a job that another backend runs, and drop it as one that has gone there."""
    outbox, envelope = Outbox(store.engine, Clock()), job(batch=new_uid())

    async def send() -> None:
        async with outbox.transaction() as connection:
            await outbox.write(connection, [envelope])
            assert await outbox.waiting(connection, older_than_s=-60, limit=100)
            await outbox.drop(connection, [envelope.uid])

    await plans.of("outbox", send())


DESK: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "stats": lambda desk: desk.stats(),
    "running": lambda desk: desk.find(JobQuery(states=(JobState.RUNNING,), limit=50)),
    "waiting": lambda desk: desk.find(JobQuery(states=(JobState.READY,), limit=50)),
    "dead": lambda desk: desk.find(
        JobQuery(states=(JobState.DEAD, JobState.CANCELLED), queues=("q3",), limit=50)
    ),
    "held": lambda desk: desk.find(JobQuery(states=(JobState.HELD,), limit=50)),
    "on their way": lambda desk: desk.find(JobQuery(states=(JobState.FORWARDING,), limit=50)),
    "one": lambda desk: desk.find(JobQuery(uids=(new_uid(),))),
    "one of a prefix": lambda desk: desk.find(JobQuery(uid_prefix="00", limit=2)),
    "batch": lambda desk: desk.find(JobQuery(batch=new_uid())),
    "dead counted": lambda desk: desk.count(JobQuery(states=(JobState.DEAD,))),
    "done counted": lambda desk: desk.count(JobQuery(states=(JobState.DONE,))),
    "one retried": lambda desk: desk.retry(JobQuery(uids=(new_uid(),))),
    "retried": lambda desk: desk.retry(JobQuery(queues=("q3",), limit=5)),
    "cancelled": lambda desk: desk.cancel(JobQuery(limit=5)),
    "discarded": lambda desk: desk.discard(JobQuery(states=(JobState.DEAD,), limit=5)),
    "batch cancelled": lambda desk: desk.cancel(JobQuery(batch=new_uid())),
}


async def test_the_latest_run_of_a_schedule_is_found_by_one_look(db: DatabaseConnection) -> None:
    """Each worker that comes second to a due time asks for it; there may be a week of seconds."""
    now = datetime.now(UTC)
    runs = [
        {"schedule": name, "due_at": now + timedelta(seconds=number), "entered_at": now}
        for name in ("s", "t")
        for number in range(2000)
    ]
    async with db.engine.begin() as own:
        await own.execute(SCHEDULE_RUN.insert(), runs)
    store = JobStore(db.engine)
    with sent(db) as statements:
        latest = await store.ledger.latest(["t", "s", "none"])
    assert {run.due_at for run in latest.values()} == {now + timedelta(seconds=1999)}
    (plan,) = ["\n".join(await Plans(db).lines(*each)) for each in statements]
    assert "(schedule=? AND due_at=?)" in plan or "(due_at = (SubPlan" in plan.replace("Filter", "")
    assert "Filter: (due_at" not in plan


async def test_what_an_operator_asks_is_answered_from_indexes(db: DatabaseConnection) -> None:
    desk, plans = JobStore(db.engine).desk, Plans(db)
    await check_numbers(db, await desk.stats())
    for what, ask in DESK.items():
        await plans.of(what, ask(desk))
    assert not plans.whole, plans
    with sent(db) as statements:
        assert len(await desk.find(JobQuery(limit=50))) == 50
    (plan,) = ["\n".join(await plans.lines(*each)) for each in statements]
    assert "Index Scan Backward using pk_jobs_job" in plan or plan == "SCAN jobs_job"


async def check_numbers(db: DatabaseConnection, stats: Sequence[QueueStats]) -> None:
    """What is counted in indexes is what is counted in the table."""
    found = {each.queue: each for each in stats}
    counted = "SELECT queue, state, count(*) AS number FROM jobs_job GROUP BY queue, state"
    async with db.engine.begin() as own:
        rows = list((await own.execute(sa.text(counted))).mappings())
    assert len(rows) == 7 * 6
    for row in rows:
        name = JobState(row["state"]).name.lower()
        assert getattr(found[row["queue"]], name) == row["number"], row


def a_beat() -> WorkerBeat:
    return WorkerBeat(
        worker_id="w1",
        host="h",
        pid=1,
        queues=("default",),
        concurrency=1,
        running=1,
        version="1",
        started_at=datetime.now(UTC),
    )
