"""The store of browsers' sessions in Redis, where `fastforge.contrib.sessions` is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Final

from pydantic_core import from_json, to_json

from ...cache.settings import Caching
from ...lifecycle import Container
from ...signing import Keys, now_s
from ..sessions.settings import Sessions
from ..sessions.store import Change, Db, Lifetime, Record, SessionBackend
from .library import Client, Pipeline, exceptions
from .resources import redis_client

__all__ = ["REDIS", "RedisSessions"]

FORMAT: Final = 2
"""How keys and records are written: with another number nothing of before is found."""
MAC_BYTES: Final = 32
SCANNED: Final = 1000
_AGAIN_S: Final = 0.005


class RedisSessions:
    """Keeps each session as signed JSON under the hash of its secret, for as long as it lasts.

    The keys of a user's sessions stand in a sorted set besides, by when each ends at the latest.
    What changes one looks whether somebody else has changed it meanwhile, and then does it again:
    nobody's change is lost.

    Each is signed together with its key: whoever writes to Redis makes nobody's session somebody's.
    What nobody of ours has written is not there.

    Args:
        client: The client of the process.
        keys: What signs.
        prefix: What all keys begin with.
        lifetime_s: How long a session is kept at all.
    """

    def __init__(self, client: Client, keys: Keys, *, prefix: str, lifetime_s: int) -> None:
        self._client = client
        self._keys = keys
        self._lifetime_s = lifetime_s
        self._prefix = prefix

    async def load(self, db: Db, hashes: Sequence[bytes]) -> Record | None:
        """Return what there is."""
        keys = [self._key(each) for each in hashes]
        found = zip(keys, await self._client.mget(keys), strict=True)
        records = (self._read(key, data) for key, data in found)
        return next((each for each in records if each is not None), None)

    async def insert(self, db: Db, key_hash: bytes, record: Record, *, expires_at: float) -> None:
        """Keep a new session."""
        key = self._key(key_hash)
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.set(key, self._written(key, record), px=_left_ms(expires_at))
            if record.user_id is not None:
                of_user = self._of_user(record.user_id)
                pipe.zremrangebyscore(of_user, 0, now_s())
                pipe.zadd(of_user, {key: record.created_at + self._lifetime_s})
                pipe.expire(of_user, self._lifetime_s)
            await pipe.execute()

    async def change(self, db: Db, hashes: Sequence[bytes], change: Change) -> bool:
        """Change what one holds."""

        def changed(pipe: Pipeline, key: str, record: Record) -> None:
            changed_to = replace(record, data=change(record.data))
            pipe.set(key, self._written(key, changed_to), keepttl=True)

        return await self._updated(hashes, changed)

    async def touch(
        self, db: Db, hashes: Sequence[bytes], *, now: float, lifetime: Lifetime
    ) -> None:
        """Note that one is used now, if it has not ended and nobody has noted it lately."""

        def touched(pipe: Pipeline, key: str, record: Record) -> None:
            if lifetime.should_note(record, now):
                seen = replace(record, seen_at=now)
                pipe.set(key, self._written(key, seen), px=_left_ms(lifetime.end_of(seen)))

        await self._updated(hashes, touched)

    async def delete(self, db: Db, hashes: Sequence[bytes]) -> Record | None:
        """Forget one; return what it was, or None where somebody else was faster."""
        keys = [self._key(each) for each in hashes]
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.mget(keys)
            pipe.delete(*keys)
            found, _ = await pipe.execute()
        for key, data in zip(keys, found, strict=True):
            record = self._read(key, data)
            if record is not None:
                if record.user_id is not None:
                    await self._client.zrem(self._of_user(record.user_id), key)
                return record
        return None

    async def delete_of(self, db: Db, user_id: str) -> Sequence[str]:
        """Forget all of a user; return the ids that they had."""
        of_user = self._of_user(user_id)
        keys = [each.decode() for each in await self._client.zrange(of_user, 0, -1)]
        if not keys:
            return []
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.mget(keys)
            pipe.delete(*keys)
            pipe.zrem(of_user, *keys)
            found, _, _ = await pipe.execute()
        read = [self._read(key, data) for key, data in zip(keys, found, strict=True)]
        return [each.id for each in read if each is not None]

    async def delete_all(self, db: Db) -> int:
        """Forget all; return how many. It walks over all keys of the server."""
        count, sets = 0, f"{self._prefix}u:".encode()
        async for key in self._client.scan_iter(match=f"{self._prefix}*", count=SCANNED):
            await self._client.delete(key)
            count += not key.startswith(sets)
        return count

    async def delete_expired(self, db: Db, *, now: float, most: int) -> int:
        """Do nothing: Redis does it."""
        return 0

    async def _updated(
        self, hashes: Sequence[bytes], update: Callable[[Pipeline, str, Record], None]
    ) -> bool:
        """Update a session, again where somebody else was faster; False where there is none."""
        async with self._client.pipeline(transaction=True) as pipe:
            for key in map(self._key, hashes):
                while True:
                    await pipe.watch(key)
                    record = self._read(key, await pipe.get(key))
                    if record is None:
                        break
                    pipe.multi()  # type: ignore[no-untyped-call]
                    update(pipe, key, record)
                    try:
                        await pipe.execute()
                    except exceptions.WatchError:
                        await asyncio.sleep(_AGAIN_S)
                    else:
                        return True
        return False

    def _written(self, key: str, record: Record) -> bytes:
        json = to_json(asdict(record))
        return self._keys.sign(_placed(key, json)) + json

    def _read(self, key: str, data: bytes | None) -> Record | None:
        if data is None:
            return None
        mac, json = data[:MAC_BYTES], data[MAC_BYTES:]
        return Record(**from_json(json)) if self._keys.verify(_placed(key, json), mac) else None

    def _key(self, key_hash: bytes) -> str:
        return f"{self._prefix}s:{key_hash.hex()}"

    def _of_user(self, user_id: str) -> str:
        return f"{self._prefix}u:{user_id}"


def _placed(key: str, json: bytes) -> bytes:
    return key.encode() + b"\0" + json


def _left_ms(expires_at: float) -> int:
    return max(1, round((expires_at - now_s()) * 1000))


def _opened(container: Container) -> RedisSessions:
    settings = container.settings
    name = settings.section(Caching).prefix or settings.module.partition(".")[0]
    return RedisSessions(
        container[redis_client],
        Keys.of(settings, "fastforge.contrib.redis.sessions"),
        prefix=f"{name}:sessions{FORMAT}:",
        lifetime_s=settings.section(Sessions).lifetime_s,
    )


REDIS: Final = SessionBackend(name="redis", open=_opened)
