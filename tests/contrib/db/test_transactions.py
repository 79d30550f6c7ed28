"""What is kept outside of the database waits for its commit: jobs in memory do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from fastforge.contrib.db import session
from fastforge.core.resources import memory_jobs
from fastforge.lifecycle import Container, Role
from fastforge.tasks import (
    ClaimRequest,
    Enqueued,
    Envelope,
    MemoryBackend,
    NewBatch,
    Outcome,
    Settlement,
    Verdict,
)
from fastforge.tasks.limits import UniqueKey
from tests.folder import isolated

SETTINGS = """
    from fastforge.contrib.db import Database
    from fastforge.tasks import Tasks

    DATABASES = {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}
    INSTALLED_APPS = ["fastforge.contrib.db", "shop"]
    TASKS = Tasks(backend="memory", keep_done_s=60)
"""


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[MemoryBackend]:
    """The memory backend of a project that has a database."""
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        async with folder.load().running(Role.COMMAND) as container:
            yield found_in(container)


def found_in(container: Container) -> MemoryBackend:
    return container[memory_jobs]


def envelope(task: str, unique: UniqueKey | None = None) -> Envelope:
    return Envelope(task=task, payload={}, unique=unique)


def kept(backend: MemoryBackend) -> list[str]:
    return [job.envelope.task for job in backend.jobs.values()]


async def test_a_job_is_kept_when_its_transaction_commits(backend: MemoryBackend) -> None:
    async with session() as db:
        async with db.atomic():
            await backend.enqueue([envelope("inside")])
            assert kept(backend) == []
        assert kept(backend) == ["inside"]
        await backend.enqueue([envelope("outside")])
        assert kept(backend) == ["inside", "outside"]


async def test_nothing_is_left_of_a_transaction_or_savepoint_that_rolls_back(
    backend: MemoryBackend,
) -> None:
    async with session() as db:
        with pytest.raises(KeyError):
            async with db.atomic():
                await backend.enqueue([envelope("undone")], batch=NewBatch(uid="b"))
                raise KeyError
        async with db.atomic():
            await backend.enqueue([envelope("kept")])
            with pytest.raises(KeyError):
                async with db.atomic():
                    await backend.enqueue([envelope("undone")])
                    raise KeyError
    assert kept(backend) == ["kept"]
    assert await backend.desk.batch("b") is None


async def test_a_unique_key_holds_within_a_transaction_and_is_free_after_a_rollback(
    backend: MemoryBackend,
) -> None:
    first, second, third = (envelope("t", UniqueKey(key="k")) for _ in range(3))
    async with session() as db:
        with pytest.raises(KeyError):
            async with db.atomic():
                await backend.enqueue([first])
                again = await backend.enqueue([second])
                assert again == [Enqueued(uid=first.uid, is_new=False)]
                raise KeyError
        async with db.atomic():
            assert await backend.enqueue([third]) == [Enqueued(uid=third.uid)]
    assert list(backend.jobs) == [third.uid]


async def test_jobs_in_memory_are_kept_as_long_as_the_settings_say(backend: MemoryBackend) -> None:
    await backend.enqueue([envelope("done")])
    request = ClaimRequest(worker_id="w", queues=("default",), limit=1, lease_s=60)
    (claim,) = (await backend.claim(request)).claims
    outcome = Outcome(verdict=Verdict.SUCCEEDED)
    await backend.settle("w", [Settlement(claim=claim, outcome=outcome)])
    backend.clock.advance(timedelta(seconds=61))
    await backend.renew("w", (), lease_s=60)
    assert kept(backend) == []
