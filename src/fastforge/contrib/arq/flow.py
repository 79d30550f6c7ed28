"""Flow: the jobs that are in Redis: kept, claimed, renewed, settled, by few round trips."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...tasks.backend import Claim, ClaimRequest, NewBatch, Renewal, Settlement
from ...tasks.clock import Clock
from ...tasks.envelope import Envelope
from ...tasks.outcome import Verdict
from ...tasks.records import Progress
from .calls import CHUNK, calls_of
from .claims import HeldJob, as_recorded, held_job, vanished_job
from .moments import MICROSECOND
from .parcels import Parcel, parcel_args
from .server import OWN_PREFIX, Server
from .wire import read_envelope, uid_of, write_envelope, write_result

__all__ = ["Flow", "Leftovers"]

BURIED: Final = f"{OWN_PREFIX}buried"
_VERDICTS: Final = {
    Verdict.SUCCEEDED: "S",
    Verdict.RETRY: "R",
    Verdict.PUT_BACK: "P",
    Verdict.INTERRUPTED: "I",
    Verdict.DEAD: "D",
    Verdict.CANCELLED: "C",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What a script has left for the database to remember.

    Args:
        rows: Jobs that are dead or cancelled.
        keys: Unique keys that are free again.
        thens: Batches that are over.
    """

    rows: bool = False
    keys: bool = False
    thens: bool = False

    @classmethod
    def of(cls, answer: Sequence[int]) -> Leftovers:
        """Read three numbers of a script."""
        rows, keys, thens = answer
        return cls(rows=bool(rows), keys=bool(keys), thens=bool(thens))

    def __or__(self, other: Leftovers) -> Leftovers:
        return Leftovers(
            rows=self.rows or other.rows,
            keys=self.keys or other.keys,
            thens=self.thens or other.thens,
        )

    def __bool__(self) -> bool:
        return self.rows or self.keys or self.thens


class Flow:
    """The jobs in Redis. Everything is done by scripts, each step by one of them.

    The server's clock counts, plus what `clock` is ahead.

    Args:
        server: Where they are.
        clock: How much later it is.
        keep_done_s: For how long results are kept, in seconds.
    """

    def __init__(self, server: Server, clock: Clock, *, keep_done_s: float) -> None:
        self.server = server
        self._clock = clock
        self._keep_ms = int(keep_done_s * 1000)
        self._untold: list[Settlement] = []

    @property
    def ahead_us(self) -> int:
        """How much later it is than the server says."""
        return int(self._clock.ahead.total_seconds() * 1_000_000)

    async def stats(self) -> list[Any]:
        """Return what the script tells of each queue."""
        found: list[Any] = await self.server.run("stats", self.ahead_us, self._keep_ms)
        return found

    async def begin_batch(self, batch: NewBatch, total: int) -> None:
        """Begin a batch of so many jobs; what has begun before is left as it is."""
        then = write_envelope(batch.then, self._clock.now()) if batch.then else b""
        await self.server.run("batch", batch.uid, total, then)

    async def keep(self, parcels: Sequence[Parcel]) -> None:
        """Keep jobs; those that were kept before are left as they are."""
        await self.send(self.packed(parcels))

    def packed(self, parcels: Sequence[Parcel]) -> list[list[Any]]:
        """Return the arguments of the calls that keep some jobs, which `send` makes."""
        now = self._clock.now()
        jobs = (  # two of one call have an order as well
            parcel_args(parcel, parcel.enqueued_at or now + place * MICROSECOND)
            for place, parcel in enumerate(parcels)
        )
        return list(calls_of(jobs))

    async def send(self, calls: Iterable[Sequence[Any]]) -> None:
        """Keep jobs by the calls that `packed` has returned."""
        for args in calls:
            await self.server.run("enqueue", self.ahead_us, *args)

    async def claim(self, request: ClaimRequest) -> tuple[list[HeldJob], float | None]:
        """Take due jobs; returns them, and in how many seconds the next one is due."""
        next_us, found = await self.server.run(
            "claim",
            self.ahead_us,
            request.worker_id,
            request.limit,
            int(request.lease_s * 1_000_000),
            *request.queues,
        )
        next_s = None if next_us == b"" else float(next_us) / 1_000_000
        return [held_job(*each) for each in found], next_s

    async def settle(self, worker_id: str, settlements: Sequence[Settlement]) -> Leftovers:
        """Record how attempts ended; those that are not held any more are skipped."""
        endings = (_ending(worker_id, each, self._result(worker_id, each)) for each in settlements)
        left = Leftovers()
        for args in calls_of(endings):
            left |= (await self._end(args))[0]
        return left

    async def renew(
        self, worker_id: str, held: Collection[Claim], lease_s: float
    ) -> tuple[Renewal, Leftovers]:
        """Prolong leases, and free those that have run out; every worker does, there is no leader.

        Those of a renewal that fails in the middle are told of by the next one.
        """
        pairs = [each for claim in held for each in (claim.key, claim.attempt)]
        lost, expired, *numbers = await self.server.run(
            "renew", self.ahead_us, worker_id, int(lease_s * 1_000_000), self._keep_ms, *pairs
        )
        gone = {(uid.decode(), int(attempt)) for uid, attempt in lost}
        left = Leftovers.of(numbers) | await self._free([vanished_job(*each) for each in expired])
        told, self._untold = self._untold, []
        lost_claims = frozenset(each for each in held if (str(each.key), each.attempt) in gone)
        return Renewal(lost=lost_claims, freed=len(told), vanished=tuple(told)), left

    async def give_back_strays(self, worker_id: str, held: Collection[Claim]) -> None:
        """Free, uncounted, what a worker holds without knowing."""
        known = [claim.key for claim in held]
        await self.server.run("strays", self.ahead_us, worker_id, *known)

    async def attend(self, worker_id: str, reports: Mapping[Claim, Progress]) -> list[str]:
        """Note how far jobs are; returns the ids of those that somebody wants cancelled."""
        args: list[Any] = []
        for claim, progress in reports.items():
            shown = {"done": progress.done, "total": progress.total, "message": progress.message}
            args += [claim.key, claim.attempt, json.dumps(shown)]
        return [uid_of(uid.decode()) for uid in await self.server.run("attend", worker_id, *args)]

    async def buried(self, limit: int) -> list[str]:
        """Return ids of jobs whose rows are still to be written."""
        return _texts(await self.server.command("ZRANGE", BURIED, 0, limit - 1))

    async def are_buried(self, ends_us: Mapping[str, int]) -> bool:
        """Return whether the rows of all these jobs are still to be written, of these ends."""
        if not ends_us:
            return True
        found = await self.server.command("ZMSCORE", BURIED, *ends_us)
        pairs = zip(found, ends_us.values(), strict=True)
        return all(score is not None and int(float(score)) == end for score, end in pairs)

    async def some_of(self, name: str, limit: int) -> list[str]:
        """Return some of a set of ids."""
        return _texts(await self.server.command("SRANDMEMBER", f"{OWN_PREFIX}{name}", limit))

    async def are_among(self, name: str, keys: Sequence[str]) -> bool:
        """Return whether all these are in a set of ids."""
        return all(await self.server.command("SMISMEMBER", f"{OWN_PREFIX}{name}", *keys))

    async def take_from(self, name: str, keys: Sequence[str]) -> None:
        """Take ids out of a set."""
        await self.server.command("SREM", f"{OWN_PREFIX}{name}", *keys)

    async def first_then(self) -> tuple[bytes, Envelope] | None:
        """Return what comes after a batch that is over, as it is written and as it is."""
        written = await self.server.command("LINDEX", f"{OWN_PREFIX}thens", 0)
        return None if written is None else (written, read_envelope(written))

    async def drop_then(self, written: bytes) -> None:
        """Take it off the list."""
        await self.server.command("LREM", f"{OWN_PREFIX}thens", 1, written)

    async def _free(self, vanished: Sequence[Settlement]) -> Leftovers:
        left = Leftovers()
        for start in range(0, len(vanished), CHUNK):
            some = vanished[start : start + CHUNK]
            args = [part for each in some for part in _ending(str(each.worker_id), each, b"")]
            more, ended = await self._end(args, expired_only=True)
            left |= more
            pairs = zip(some, ended, strict=True)
            self._untold += [as_recorded(each, how) for each, how in pairs if how]
        return left

    async def _end(
        self, args: Sequence[Any], *, expired_only: bool = False
    ) -> tuple[Leftovers, list[int]]:
        *left, ended = await self.server.run(
            "settle", self.ahead_us, self._keep_ms, int(expired_only), *args
        )
        return Leftovers.of(left), ended

    def _result(self, worker_id: str, settlement: Settlement) -> bytes:
        claim, outcome = settlement.claim, settlement.outcome
        if outcome.verdict is not Verdict.SUCCEEDED or not isinstance(claim, HeldJob):
            return b""
        return write_result(
            claim.envelope,
            enqueued_at=claim.enqueued_at,
            started_at=claim.started_at,
            # Two hosts know the time: nothing is to end before it began.
            finished_at=max(claim.started_at, self._clock.now()),
            attempt=claim.attempt,
            result=outcome.result,
            due=claim.due_at.isoformat(),
            by=worker_id,
            errors=[error.to_json() for error in claim.errors],
        )


def _texts(values: Any) -> list[str]:
    return [value.decode() for value in values]


def _ending(worker_id: str, settlement: Settlement, result: bytes) -> tuple[Any, ...]:
    """Return what the script is given of an attempt that has ended."""
    claim, outcome = settlement.claim, settlement.outcome
    error = json.dumps(outcome.error.to_json()) if outcome.error else ""
    delay_us = int(outcome.delay_s * 1_000_000)
    return claim.key, worker_id, claim.attempt, _VERDICTS[outcome.verdict], delay_us, error, result
