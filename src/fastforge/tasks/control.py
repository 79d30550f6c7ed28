"""Control: what a consumer is told: how to work, and when to stop."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ConsumerOptions", "Stop", "new_worker_id"]


class Stop:
    """The request to stop: once is to drain, twice is now."""

    def __init__(self) -> None:
        self.draining = asyncio.Event()
        self.now = asyncio.Event()

    def request(self) -> None:
        """Ask for the next step."""
        (self.now if self.draining.is_set() else self.draining).set()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerOptions:
    """How a consumer works.

    Args:
        queues: The names of the queues it takes jobs from.
        concurrency: How many jobs run at the same time.
        lease_s: How long after the end of a worker its jobs are due again at the latest, in
            seconds.
        drain_s: How long running jobs may go on when it stops, in seconds.
        burst: End when nothing is due and nothing runs.
        limits: How many jobs of a queue run here at the same time, for queues that have a limit
            of their own within `concurrency`.
    """

    queues: tuple[str, ...]
    concurrency: int
    lease_s: float
    drain_s: float
    burst: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)

    @property
    def beat_s(self) -> float:
        """How often it renews its leases, and looks for those that have run out, in seconds."""
        return self.lease_s / 5

    @property
    def held_s(self) -> float:
        """For how long it takes a lease: somebody looks within one more beat, in seconds."""
        return self.lease_s - self.beat_s


def new_worker_id() -> str:
    """Return an id for a worker: its host, its process, and chance."""
    return f"{socket.gethostname()[:64]}:{os.getpid()}:{secrets.token_hex(4)}"
