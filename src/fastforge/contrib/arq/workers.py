"""Workers: what they say of themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from ..._utils import known_fields
from ...tasks.clock import Clock
from ...tasks.records import WorkerBeat
from .server import OWN_PREFIX, Server

__all__ = ["Workers"]

KEY: Final = f"{OWN_PREFIX}workers"
REMEMBERED: Final = timedelta(hours=1)
"""How long a worker that says nothing is shown."""


class Workers:
    """The last word of each worker, in one hash.

    Args:
        server: Where it is.
        clock: How much later it is than the server says.
        alive_s: How long after its last word a worker counts as alive, in seconds.
    """

    def __init__(self, server: Server, clock: Clock, *, alive_s: float) -> None:
        self._alive = timedelta(seconds=alive_s)
        self._server = server
        self._clock = clock
        self._greeted: set[str] = set()

    async def heard(self, beat: WorkerBeat) -> None:
        """Note what a worker says of itself; the first time it also forgets who is long gone."""
        if beat.worker_id not in self._greeted:
            self._greeted.add(beat.worker_id)
            await self.known()
        said = asdict(beat) | {"beat_at": await self._now(), "alive": True}
        await self._server.command("HSET", KEY, beat.worker_id, json.dumps(said, default=_iso))

    async def left(self, worker_id: str) -> None:
        """Forget a worker that has ended."""
        self._greeted.discard(worker_id)
        await self._server.command("HDEL", KEY, worker_id)

    async def known(self) -> Sequence[WorkerBeat]:
        """Return the workers that have been heard of lately, and forget the others."""
        now = await self._now()
        said = await self._server.command("HGETALL", KEY)
        old, shown = [], []
        for worker_id, text in said.items():
            beat = _beat(text)
            age = now - (beat.beat_at or now) if beat else None
            if beat is None or age is None or age > REMEMBERED:
                old.append(worker_id)
            else:
                shown.append(replace(beat, alive=age <= self._alive))
        if old:
            await self._server.command("HDEL", KEY, *old)
        return shown

    async def _now(self) -> datetime:
        seconds, microseconds = await self._server.command("TIME")
        return datetime.fromtimestamp(seconds + microseconds / 1_000_000, UTC) + self._clock.ahead


def _iso(value: datetime) -> str:
    return value.isoformat()


def _beat(text: bytes) -> WorkerBeat | None:
    """Read what a worker has said, of whatever version; None where that is no such thing."""
    try:
        values = known_fields(WorkerBeat, json.loads(text))
        values["queues"] = tuple(values["queues"])
        for name in ("started_at", "beat_at"):
            values[name] = datetime.fromisoformat(values[name])
        return WorkerBeat(**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
