"""What a process knows of the log: when it reads, what it believes meanwhile, what is void."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from fastforge.contrib.auth import Identity, forget_everybody, forget_user, on_forgotten
from fastforge.contrib.auth.identity import log as log_module
from fastforge.contrib.auth.identity.log import ForgottenLog, Line
from fastforge.contrib.auth.identity.resolving import Identities
from fastforge.contrib.auth.identity.watching import remove_old_lines, watch
from fastforge.contrib.auth.metrics import identities_here
from fastforge.contrib.auth.models import Forgotten
from fastforge.contrib.auth.resources import identities
from fastforge.contrib.db import session, utcnow
from fastforge.contrib.db.resources import database
from fastforge.lifecycle import Container, use_container
from fastforge.signing import now_s
from fastforge.test.proxy import Proxy

from .conftest import Start, asked, change, sign_up, words_of


async def forget(*users: object) -> None:
    async with session() as db:
        for user in users:
            await forget_user(db, user)


async def execute(container: Container, statement: str) -> None:
    async with container[database].engine.begin() as own:
        await own.execute(sa.text(statement))


def void(log: ForgottenLog, user: object, position: int) -> bool:
    return not log.allows(Identity(id=user), position)


async def test_what_was_checked_before_a_line_is_void_and_after_it_is_not(
    known: Identities,
) -> None:
    await forget(7, 8, 7)
    log = known.log
    await log.read()
    assert log.position == 3
    assert [void(log, 7, position) for position in (0, 2, 3)] == [True, True, False]
    assert [void(log, 8, position) for position in (0, 1, 2)] == [True, True, False]
    assert not void(log, 9, 0)
    async with session() as db:
        await forget_everybody(db)
    await log.read()
    assert [void(log, 9, position) for position in (3, 4)] == [True, False]


async def test_what_changes_while_it_is_checked_is_checked_again(
    known: Identities, words: Any
) -> None:
    """The row was read before the change, the answer comes after it."""
    key = await sign_up()
    words.go_on.clear()
    question = asyncio.create_task(asked())
    async with asyncio.timeout(60):
        while not words.running:
            await asyncio.sleep(0)
    await change(key, scopes=["read"])
    await known.log.read()
    words.go_on.set()
    found = await question
    assert isinstance(found, Identity)
    assert (found.version, found.scopes) == (2, {"read"})
    assert len(words.asked) == 2


async def test_a_reading_that_began_before_a_line_does_not_make_it_known(
    known: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, lines = known.log, known.log._lines
    held, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> Any:
        found = await lines()
        held.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(ForgottenLog, "_lines", lambda _: slow())
    reading = asyncio.create_task(log.read())
    await held.wait()
    await forget(7)
    asking = asyncio.create_task(log.confirmed())
    await asyncio.sleep(0)
    monkeypatch.undo()
    go_on.set()
    assert await asking
    await reading
    assert log.position == 1


async def test_a_process_that_starts_believes_nothing_that_is_older_than_what_it_can_know(
    start: Start,
) -> None:
    """Lines that were removed may have been about anybody."""
    async with start() as first:
        await forget(7, 8, 9)
        async with session() as db, db.atomic():
            await db.execute(sa.update(Forgotten).values(at=utcnow() - timedelta(days=2)))
        await remove_old_lines()
        async with session() as db:
            assert list(await db.scalars(sa.select(Forgotten.id))) == [3]  # the newest stays
        await first[identities].log.read()
    async with start() as second:
        log = second[identities].log
        await log.read()
        assert [void(log, 1, position) for position in (1, 2, 3)] == [True, False, False]
        assert void(log, 9, 2)


async def test_a_table_that_is_another_one_makes_everything_void(
    running: Container, known: Identities, words: Any
) -> None:
    """Such as a backup, in which ids are given again that this process has read already."""
    await sign_up()
    seen: list[Line] = []
    stop = on_forgotten(seen.append)
    await forget(7, 8)
    assert isinstance(await asked(), Identity)
    await execute(running, "DELETE FROM auth_forgotten")
    await execute(running, "DELETE FROM sqlite_sequence")
    await forget(7)
    seen.clear()
    assert isinstance(await asked(), Identity)
    assert len(words.asked) == 2
    assert known.log.position == 1
    assert seen[0] == Line(0, None, None, None)  # whoever listens has to look at everybody
    stop()
    stop()  # once more is as good as once
    seen.clear()
    await forget(9)
    await known.log.read()
    assert seen == []


async def test_whoever_asks_after_a_revocation_is_not_served_by_a_check_that_began_before(
    known: Identities, words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be on its way into the shared cache when the next request comes for it."""
    key = await sign_up()
    is_writing, go_on = asyncio.Event(), asyncio.Event()

    async def write_late(*_: object) -> None:
        is_writing.set()
        await go_on.wait()

    monkeypatch.setattr(known._shared, "write", write_late)
    before = asyncio.create_task(asked())
    await is_writing.wait()
    await change(key, is_active=False)
    after = asyncio.create_task(asked())
    while known.log.position == 0:  # until the second one has read the log
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)
    go_on.set()
    assert isinstance(await before, Identity)
    assert await after == "its user is gone or not active"


async def test_memory_is_bounded_and_what_is_not_known_any_more_is_void(
    known: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "MOST_LINES", 10)
    await known.log.read()
    for first in range(0, 30, 5):
        await forget(*range(first, first + 5))
        await known.log.read()
    assert len(known.log._known) <= 20
    assert void(known.log, "anybody", known.log.position - 21)
    assert not void(known.log, "anybody", known.log.position)
    missed = known.log.position
    await forget(*range(100, 115))  # more than are read at once
    await known.log.read()
    assert void(known.log, "anybody", missed)
    assert not void(known.log, "anybody", known.log.position)


async def test_while_the_log_cannot_be_read_what_is_known_holds_for_some_time(
    start: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the real check decides; and one line tells of it, not one a request."""
    caplog.set_level(logging.INFO, "fastforge.auth")
    async with start(auth="max_unconfirmed_s=20") as container:
        await sign_up()
        words, log = words_of(container), container[identities].log
        assert isinstance(await asked(), Identity)
        caplog.clear()
        await execute(container, "ALTER TABLE auth_forgotten RENAME TO away")
        log.fresh_until = 0
        for _ in range(5):
            assert isinstance(await asked(), Identity)
        assert len(words.asked) == 1
        log._read_at -= 30
        for _ in range(3):
            assert isinstance(await asked(), Identity)
        assert len(words.asked) == 4
        assert [each.levelno for each in caplog.records] == [logging.WARNING]
        assert "cannot be read" in caplog.text
        await execute(container, "ALTER TABLE away RENAME TO auth_forgotten")
        await asyncio.sleep(0)
        monkeypatch.setattr(log, "_retry_at", 0.0)
        assert isinstance(await asked(), Identity)
        assert isinstance(await asked(), Identity)
        assert len(words.asked) == 4
        assert "can be read again" in caplog.text


async def test_it_is_read_in_the_background_only_while_somebody_asks(
    known: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[float] = []
    read = ForgottenLog.read

    async def counted(log: ForgottenLog) -> None:
        reads.append(time.monotonic())
        await read(log)

    monkeypatch.setattr(ForgottenLog, "read", counted)
    monkeypatch.setattr("fastforge.contrib.auth.identity.watching.EVERY_S", 0.01)
    await sign_up()
    watching = asyncio.create_task(watch(known))
    async with asyncio.timeout(60):
        for _ in range(2):
            before = len(reads)
            await asyncio.sleep(0.1)
            assert len(reads) == before  # it rests, and does so again
            known.log.fresh_until = 0
            await asked()
            while len(reads) < before + 20 or known.log.wanted.is_set():
                await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.wait([watching])
    assert not known.log.is_watched


async def test_two_processes_and_nothing_between_them_but_the_table(start: Start) -> None:
    async with start() as here, start() as there:
        with use_container(here):
            key = await sign_up()
            assert isinstance(await asked(), Identity)
        with use_container(there):
            assert isinstance(await asked(), Identity)
        with use_container(here):
            await change(key, is_active=False)
        with use_container(there):
            async with asyncio.timeout(30):
                while isinstance(await asked(), Identity):
                    await asyncio.sleep(0.05)


async def test_a_database_that_swallows_everything_delays_few(
    start: Start, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is remembered is served; one in two seconds finds out whether it is back."""
    reads: list[object] = []
    lines = ForgottenLog._lines

    async def counted(log: ForgottenLog) -> Any:
        reads.append(log)
        return await lines(log)

    with Proxy(postgres_url) as proxy:
        async with start(proxy.url) as container:
            await sign_up()
            words, log = words_of(container), container[identities].log
            assert isinstance(await asked(), Identity)
            monkeypatch.setattr(ForgottenLog, "_lines", counted)
            proxy.blackhole()
            log.fresh_until = 0
            for _ in range(100):
                assert isinstance(await asked(), Identity)
            assert len(words.asked) == 1
            assert len(reads) == 1
            proxy.heal()
            log._retry_at = 0
            async with asyncio.timeout(60):
                while time.monotonic() >= log.fresh_until:
                    assert isinstance(await asked(), Identity)
                    await asyncio.sleep(0.05)


async def test_a_clock_that_is_set_back_makes_nothing_last_longer(
    running: Container, known: Identities, words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F27: what is remembered ends by a clock that nobody sets, and so does a token."""
    await sign_up()
    ended = words.expires_at = now_s() + 1.5
    assert isinstance(await asked("word-1-short"), Identity)
    words.expires_at = None
    await asked("word-1-long")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    async with asyncio.timeout(30):
        while isinstance(await asked("word-1-short"), Identity):
            words.expires_at = ended
            await asyncio.sleep(0.05)
    words.expires_at = None
    await change(1, scopes=["read"])
    found = await asked("word-1-long")
    assert isinstance(found, Identity)
    assert found.scopes == {"read"}


async def test_the_ways_by_which_it_was_told_who_asks_are_counted(
    running: Container, known: Identities
) -> None:
    await sign_up()
    for token in ("word-1", "word-1", "word-404", "chance"):
        await asked(token)
    known.near.found.clear()
    await asked("word-1")
    counts = {
        (sample.metric.name, *sample.labels): sample.value
        for sample in identities_here.function(running)
    }
    assert counts == {
        ("auth.identities", "near"): 1,
        ("auth.identities", "shared"): 1,
        ("auth.identities", "checked"): 1,
        ("auth.identities", "refused"): 2,
        ("auth.checks.waiting",): 0,
    }


async def test_who_holds_a_connection_needs_no_second_one_to_be_known(
    start: Start, postgres_url: str
) -> None:
    """Else as many requests as the pool has connections would wait for one another."""
    more = f"""
    DATABASES["default"] = Database(url={postgres_url!r}, pool_size=1, pool_timeout_s=1)
"""
    async with start(postgres_url, more=more):
        await sign_up()
        async with session() as db, db.atomic():
            await db.execute(sa.text("SELECT 1"))
            assert isinstance(await asked(), Identity)


async def test_a_transaction_that_sees_nothing_new_is_not_asked(
    start: Start, postgres_url: str
) -> None:
    async with start(postgres_url):
        key = await sign_up()
        async with session() as db, db.atomic(isolation="repeatable read"):
            await db.execute(sa.text("SELECT 1"))
            assert isinstance(await asked(), Identity)
            await change(key, is_active=False)
            assert await asked() == "its user is gone or not active"
