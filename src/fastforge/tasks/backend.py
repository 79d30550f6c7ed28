"""Backend: where jobs wait, as whoever enqueues and the consumer see it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .._utils import did_you_mean
from ..exceptions import ForgeError, TaskError
from ..lifecycle import Container, Resource
from .clock import Clock
from .desk import JobDesk
from .envelope import Envelope
from .ledger import ScheduleLedger
from .outcome import AttemptError, Outcome
from .records import Progress, WorkerBeat
from .settings import Tasks

__all__ = [
    "Backend",
    "BackendAway",
    "BackendUnready",
    "Claim",
    "ClaimRequest",
    "Claimed",
    "Enqueued",
    "NewBatch",
    "Renewal",
    "Settlement",
    "TaskBackend",
    "backend_hint",
    "backend_of",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Claim:
    """One attempt at a job, held by one worker.

    Args:
        key: The backend's own name for the job.
        attempt: The number of this attempt, from 1. With the worker's id it is the fence: a
            result under an attempt that is not current any more is refused.
        envelope: The job.
        errors: What ended the attempts before.
        fault: Why the job cannot be read, in a few words: then nothing of it runs, and it is dead
            with that text. Its envelope holds what could be read all the same.
    """

    key: int | str
    attempt: int
    envelope: Envelope
    errors: tuple[AttemptError, ...] = ()
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """What a worker wants: at most `limit` due jobs of its queues, for the time of a lease."""

    worker_id: str
    queues: tuple[str, ...]
    limit: int
    lease_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a worker got, and when the next job that waits is due, in seconds from now."""

    claims: tuple[Claim, ...] = ()
    next_due_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """An attempt and how it ended.

    Args:
        duration_s: How long it ran, in seconds; for listeners.
        worker_id: Who ran it; None where that is who records it.
    """

    claim: Claim
    outcome: Outcome
    duration_s: float = 0
    worker_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """What a renewal found.

    Args:
        lost: Claims that others hold by now.
        freed: How many jobs were freed, since their workers have vanished.
        vanished: How the attempts of those were recorded, for who renews to tell of them: each is
            given to one worker, once.
    """

    lost: frozenset[Claim] = frozenset()
    freed: int = 0
    vanished: tuple[Settlement, ...] = ()


class BackendAway(ForgeError):
    """The backend cannot be reached now; the same call may succeed later."""


class BackendUnready(ForgeError):
    """The backend lacks what a command makes: its table, before the first `manage migrate`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """What became of an envelope.

    Args:
        uid: The job that stands for it: its own, or an earlier one that takes its unique key.
        is_new: Whether it is its own.
    """

    uid: str
    is_new: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """A batch that begins with the envelopes that it comes with; they carry its uid.

    An envelope whose unique key is taken adds no job to it. One that has no jobs for that is over
    at once, and `then` is enqueued.

    Args:
        uid: Unique everywhere.
        then: What is enqueued when all its jobs have ended.
    """

    uid: str
    then: Envelope | None = None


class TaskBackend(Protocol):
    """What a backend does. What a worker calls raises BackendAway when it cannot be done now.

    Attributes:
        clock: What time it is for its jobs.
    """

    clock: Clock

    @property
    def desk(self) -> JobDesk:
        """What may be asked from outside, and done; the backend itself may be it."""
        ...

    @property
    def ledger(self) -> ScheduleLedger:
        """Which runs of the schedules have been enqueued; the backend itself may be it."""
        ...

    async def enqueue(
        self, envelopes: Sequence[Envelope], /, *, batch: NewBatch | None = None
    ) -> Sequence[Enqueued]:
        """Keep jobs, and the batch; where the backend can, in the caller's transaction."""
        ...

    async def claim(self, request: ClaimRequest, /) -> Claimed:
        """Give due jobs to a worker, each to one only; their attempts are counted here."""
        ...

    async def settle(self, worker_id: str, settlements: Sequence[Settlement], /) -> None:
        """Record how attempts ended. Those that the worker does not hold any more are skipped."""
        ...

    async def renew(self, worker_id: str, held: Collection[Claim], /, *, lease_s: float) -> Renewal:
        """Prolong a worker's leases, and free every job whose lease has run out."""
        ...

    async def give_back_strays(self, worker_id: str, held: Collection[Claim], /) -> None:
        """Free, uncounted, what the worker holds without knowing: a claim's answer was lost."""
        ...

    async def attend(self, worker_id: str, reports: Mapping[Claim, Progress], /) -> Collection[str]:
        """Record how far jobs are that the worker holds.

        Returns:
            The uids of those that it holds and somebody wants cancelled.
        """
        ...

    async def beat(self, beat: WorkerBeat, /) -> None:
        """Note what a worker says of itself, at the backend's time."""
        ...

    async def leave(self, worker_id: str, /) -> None:
        """Forget a worker that has ended, and holds nothing any more."""
        ...

    async def watch(self, wake: Callable[[], None], /) -> None:
        """Call `wake` whenever jobs may have become due, until cancelled.

        The first call is made when it listens: whatever is enqueued later is not missed. One that
        needs no loop of its own may return then.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The declaration of a backend, in an app's `task_backends.py`.

    ```python
    DATABASE = Backend(name="database", resource=jobs_store)
    ```

    Args:
        name: What TASKS.backend calls it.
        resource: Opens the TaskBackend.
        in_tests: Opens one that does the same in the tests of a project, where the jobs of a test
            have to be its own: for a backend whose server the tests would share with others.
    """

    name: str
    resource: Resource[Any]
    in_tests: Resource[Any] | None = None


def backend_of(container: Container) -> TaskBackend:
    """Return the running backend that TASKS.backend names.

    Raises:
        TaskError: No installed app declares it.
    """
    name = container.settings.section(Tasks).backend
    for backend in container.registry.values("task_backends"):
        if backend.name == name:
            found: TaskBackend = container[backend.resource]
            return found
    raise TaskError(
        f"TASKS.backend is {name!r}, which no installed app declares",
        code="tasks.E009",
        hint=backend_hint(name),
        where=container.settings.where("TASKS"),
    )


def backend_hint(name: str) -> str:
    """Return what to do about a backend that is not installed."""
    if name == "database":
        return 'add "fastforge.contrib.db" and "fastforge.contrib.jobs" to INSTALLED_APPS'
    if name == "arq":
        return 'add "fastforge.contrib.redis" and "fastforge.contrib.arq" to INSTALLED_APPS'
    return (
        did_you_mean(name, ("arq", "database", "memory"))
        or "install the app that declares it in its task_backends.py, or name another"
    )
