"""The eleven faults of the usual cache of tokens, one test for each, in their order."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
import sqlalchemy as sa

from fastforge.cache import CacheAway, MemoryStore
from fastforge.cache.dependencies import engine_of
from fastforge.contrib.auth import Identity, forget_token
from fastforge.contrib.auth.identity.entries import Checked
from fastforge.contrib.auth.identity.resolving import Identities
from fastforge.contrib.auth.resources import identities
from fastforge.contrib.db import session
from fastforge.contrib.db.resources import database
from fastforge.lifecycle import Container, use_container
from fastforge.signing import now_s
from fastforge.test import client
from tests.folder import ProjectFolder

from .conftest import Start, asked, change, sign_up, words_of

GONE = "its user is gone or not active"


def store_of(container: Container) -> MemoryStore:
    store = engine_of(container).store
    assert isinstance(store, MemoryStore)
    return store


def keys_of(container: Container) -> list[str]:
    return [key for key in store_of(container)._entries if key.startswith("i1:")]


async def bytes_of(container: Container, key: str) -> bytes:
    kept = await store_of(container).read(key)
    assert kept is not None
    return kept.data


async def test_1_who_is_deactivated_is_out_at_once_here_and_with_the_next_reading_elsewhere(
    start: Start,
) -> None:
    """The usual code lets them in until the entry ends, 300 seconds later."""
    async with start() as here, start() as there:
        with use_container(here):
            key = await sign_up(scopes=["read"])
            first = await asked()
            assert isinstance(first, Identity)
        with use_container(there):
            assert await asked() == first
        with use_container(here):
            for fields in ({"scopes": ["read", "write"]}, {"is_superuser": True}):
                before = await asked()
                await change(key, **fields)
                after = await asked()
                assert isinstance(before, Identity)
                assert isinstance(after, Identity)
                assert after.version == before.version + 1
            await change(key, is_active=False)
            assert await asked() == GONE
            here[identities].near.found.clear()
            assert await asked() == GONE  # nor by the shared cache
        with use_container(there):
            there[identities].log.fresh_until = 0  # a second has passed
            assert await asked() == GONE
        with use_container(here):
            await change(key, is_active=True)
            assert isinstance(await asked(), Identity)


async def test_2_an_entry_lives_no_longer_than_its_token(
    running: Container, known: Identities, words: Any
) -> None:
    """The usual code keeps it for 300 seconds, whatever the token says."""
    await sign_up()
    words.expires_at = now_s() + 20
    assert isinstance(await asked("word-1-a"), Identity)
    words.expires_at = now_s() + 0.9
    assert isinstance(await asked("word-1-b"), Identity)
    words.expires_at = None
    assert isinstance(await asked("word-1-c"), Identity)
    left = [
        kept.left_s
        for key in keys_of(running)
        if (kept := await store_of(running).read(key, with_left=True))
    ]
    assert len(left) == 2  # the second one is not worth keeping
    assert 10 < left[0] <= 20
    assert 290 < left[1] <= 300
    until = [entry.until for entry in known.near.found.values()]
    assert until[1] < until[0] < until[2]


async def test_3_tokens_by_chance_cost_nothing_and_bad_ones_are_checked_once(
    running: Container, known: Identities, words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual code asks the database about each, and Redis would be filled with them."""
    reads: list[str] = []
    monkeypatch.setattr(MemoryStore, "read", lambda self, key, **_: reads.append(key))
    for number in range(50):
        assert await asked(f"chance-{number}") == "no verifier knows tokens like it"
    assert (reads, words.asked, len(known.refused.found)) == ([], [], 0)
    monkeypatch.undo()
    for _ in range(50):
        assert await asked("word-404") == GONE
    assert words.asked == ["word-404"]
    assert keys_of(running) == []  # what is refused is remembered here alone, for some seconds
    known.refused._most = 10
    for number in range(30):
        assert await asked(f"word-404-{number}") == GONE
    assert len(known.refused.found) == 10


async def test_4_the_cache_tells_nothing_of_tokens_to_whoever_reads_it(
    start: Start, running: Container
) -> None:
    """Under a plain hash a copy of Redis is enough to try tokens, without anybody noticing."""
    await sign_up()
    await asked()
    (mine,) = keys_of(running)
    assert hashlib.sha256(b"word-1").hexdigest() not in mine
    assert b"word-1" not in mine.encode()
    async with start(key="another-project-" * 4) as other:
        await asked()
        (theirs,) = keys_of(other)
    assert theirs != mine


async def test_5_who_writes_to_the_cache_is_nobody_for_that(
    running: Container, known: Identities, words: Any
) -> None:
    """The usual code believes whatever JSON it finds: `is_superuser` is one SET away."""
    for email in ("ann@example.org", "root@example.org"):
        await sign_up(email, is_superuser=email.startswith("root"))
    assert isinstance(await asked("word-1"), Identity)
    assert isinstance(await asked("word-2"), Identity)
    (anns, roots), store = keys_of(running), store_of(running)
    good, strong = await bytes_of(running, anns), await bytes_of(running, roots)
    forged = good.replace(b'"superuser":false', b'"superuser":true')
    assert forged != good
    for entry in (strong, forged, good[32:], b"", b"{}", good[:-1], good[:40], b"\0" * 200):
        await store.write(anns, entry, ttl_s=60)
        known.near.found.clear()
        words.asked.clear()
        found = await asked("word-1")
        assert isinstance(found, Identity)
        assert (found.id, found.is_superuser) == (1, False)
        assert words.asked == ["word-1"]
    known.near.found.clear()
    assert isinstance(await asked("word-1"), Identity)
    assert words.asked == ["word-1"]  # the good one, which was written again, is believed


async def test_6_an_entry_has_nothing_personal_and_nothing_secret(running: Container) -> None:
    """The usual code keeps the whole row, with the hash of the password."""
    await sign_up("ann@example.org", scopes=["read"])
    await asked("word-1-secret")
    (key,) = keys_of(running)
    entry = await bytes_of(running, key)
    for secret in (b"ann", b"example", b"argon2", b"password", b"email"):
        assert secret not in entry
    assert len(entry) < 250


async def test_7_a_thousand_misses_at_once_are_one_check(words: Any) -> None:
    """The usual code makes a thousand."""
    await sign_up()
    words.go_on.clear()
    tasks = [asyncio.create_task(asked()) for _ in range(1000)]
    for _ in range(10):
        await asyncio.sleep(0)
    words.go_on.set()
    found = await asyncio.gather(*tasks)
    assert words.asked == ["word-1"]
    assert {each.id for each in found if isinstance(each, Identity)} == {1}
    assert len(found) == 1000


async def test_7_who_asked_first_and_left_takes_nobody_along(words: Any) -> None:
    """The check goes on with the next one who waits for it."""
    await sign_up()
    words.go_on.clear()
    tasks = [asyncio.create_task(asked()) for _ in range(3)]
    async with asyncio.timeout(60):
        while not words.asked:
            await asyncio.sleep(0)
    tasks[0].cancel()
    words.go_on.set()
    await asyncio.wait(tasks)
    assert tasks[0].cancelled()
    assert [task.result().id for task in tasks[1:]] == [1, 1]  # type: ignore[union-attr]


async def test_8_without_the_cache_who_asks_is_checked_but_not_all_at_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual code is a 500; or the database is next. See `test_redis.py` for a real one."""

    async def away(*_: object, **__: object) -> None:
        raise CacheAway("it is away", code="cache.E010")

    for method in ("read", "write"):
        monkeypatch.setattr(MemoryStore, method, away)
    async with start(auth="verify_concurrency=3, verify_queue=20") as container:
        await sign_up()
        words = words_of(container)
        words.go_on.clear()
        tasks = [asyncio.create_task(asked(f"word-1-{number}")) for number in range(23)]
        async with asyncio.timeout(60):
            while words.running < 3:
                await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        with pytest.raises(Exception, match=r"auth\.E019.*20 credentials wait"):
            await asked("word-1-one-too-many")
        words.go_on.set()
        found = await asyncio.gather(*tasks)
        assert {type(each) for each in found} == {Identity}
        assert (words.most, len(words.asked)) == (3, 23)
        assert isinstance(await asked("word-1-later"), Identity)


ROUTES = """
    from fastapi import APIRouter

    from fastforge.contrib.auth import CurrentIdentity, requires

    router = APIRouter()

    @router.get("/me")
    async def me(me: CurrentIdentity) -> int:
        return me.id

    @router.get("/write", dependencies=[requires("write")])
    async def write() -> str:
        return "written"
"""


async def test_9_what_is_asked_of_a_miss_is_asked_of_a_hit(
    folder: ProjectFolder, start: Start
) -> None:
    """The usual code asks for `active`, scopes and the end only where it reads the row."""
    folder.write({"shop/web/routes.py": ROUTES})
    async with start():
        key = await sign_up(scopes=["read"])
    async with client(folder.load()) as http:
        bearer = {"Authorization": "Bearer word-1"}
        answers = [await http.get("/write", headers=bearer) for _ in range(3)]
        assert [each.json()["code"] for each in answers] == ["auth.E018"] * 3
        assert (await http.get("/me", headers=bearer)).json() == key
    async with start() as container:
        words = words_of(container)
        words.expires_at = now_s() + 0.5
        assert isinstance(await asked(), Identity)
        async with asyncio.timeout(30):
            while isinstance(await asked(), Identity):
                await asyncio.sleep(0.05)
        assert await asked() == "it has ended"
        words.expires_at = None
        entries = container[identities]._shared.entries
        for who in (Identity(id="1", expires_at=now_s() - 1), Identity(id="404", version=1)):
            key_of = entries.key("word-1-old")
            checked = Checked(who, "words" if who.version == 0 else "another", 0)
            await store_of(container).write(key_of, entries.written(key_of, checked), ttl_s=60)
            found = await asked("word-1-old")  # nor by the shared cache
            assert isinstance(found, Identity)
            assert (found.id, found.expires_at) == (1, None)
            container[identities].near.found.clear()


async def test_10_who_logs_out_is_out_with_this_credential_alone(
    known: Identities, words: Any
) -> None:
    """The usual code has nothing that could end a token before its time."""
    await sign_up()
    assert isinstance(await asked("word-1-a"), Identity)
    other = await asked("word-1-b")
    seen: list[str | None] = []
    stop = known.log.on_forgotten(lambda line: seen.append(line.token_id))
    words.revoked.add("word-1-a")
    async with session() as db:
        await forget_token(db, "word-1-a")
    assert await asked("word-1-a") == "it was revoked"
    assert await asked("word-1-b") is other  # and this one is remembered
    assert seen == ["word-1-a"]
    stop()
    words.revoked.clear()
    async with session() as db:
        await forget_token(db, "word-1-a")
    assert isinstance(await asked("word-1-a"), Identity)  # the other way round as well
    assert len(seen) == 1


async def test_11_a_hit_opens_no_session_makes_no_task_and_waits_for_nothing(
    running: Container, known: Identities, words: Any
) -> None:
    """In the usual code `db: Session = Depends(get_db)` stands beside the cache."""
    await sign_up()
    await asked()
    known.log.fresh_until = float("inf")
    made: list[object] = []
    engine = running[database].engine.sync_engine
    sa.event.listen(engine.pool, "checkout", lambda *_: made.append("a connection"))
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, work, **more: made.append(work))  # type: ignore[arg-type]
    try:
        hit = known.of_token("word-1")
        with pytest.raises(StopIteration) as found:
            hit.send(None)  # a coroutine that would wait for anything gives it here
    finally:
        loop.set_task_factory(None)
    assert found.value.value.id == 1
    assert made == []
    known.near.found.clear()
    assert isinstance(await asked(), Identity)  # nor does one of the shared cache
    assert (made, words.asked) == ([], ["word-1"])
