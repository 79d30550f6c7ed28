"""Broker: what carries messages to every process that has somebody in a room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from ..._utils import did_you_mean
from ...conf import Settings
from ...lifecycle import Container, Resource
from ..errors import ChannelError
from ..settings import Channels

__all__ = [
    "MEMORY", "SHARED_HINT", "Broker", "ChannelBackend", "Envelope", "Hearing", "Kept", "Recalled",
    "backend_hint", "broker_of", "chosen_backend",
]  # fmt: skip

MEMORY: Final = "memory"
_APPS: Final = {
    "postgres": "fastforge.contrib.db.postgres_channels",
    "redis": "fastforge.contrib.redis",
    "sqlite": "fastforge.contrib.db.file_channels",
}
SHARED_HINT: Final = (
    f'add "{_APPS["redis"]}" to INSTALLED_APPS, or "{_APPS["postgres"]}" where the database is'
    f' PostgreSQL, or "{_APPS["sqlite"]}" where it is a SQLite file'
)
"""What to do where one process is not enough."""


class Envelope(NamedTuple):
    """A message on its way.

    Args:
        name: The room.
        id: Larger than that of every message before it in the room.
        data: The JSON.
        exclude: The id of the connection that does not get it; empty for none.
    """

    name: str
    id: int
    data: bytes
    exclude: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of a room's past is kept.

    Args:
        count: How many messages.
        ttl_s: How long, in seconds.
    """

    count: int
    ttl_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What is known of a room's past.

    Args:
        epoch: Ids of another epoch mean nothing.
        last_id: That of the latest message; 0 where none is known.
        messages: What came after the id that was asked for, in order.
        is_complete: Whether that is all that came.
    """

    epoch: str
    last_id: int
    messages: Sequence[Envelope] = ()
    is_complete: bool = False


class Hearing(Protocol):
    """How well a process hears what others publish: for metrics and for readiness."""

    @property
    def is_connected(self) -> bool:
        """Whether all that somebody here has joined is heard."""
        ...

    @property
    def reconnects(self) -> int:
        """How often it was heard again after it was not."""
        ...

    @property
    def deaf_since(self) -> float | None:
        """Since when it is not heard, by `time.monotonic`; None where it is, or nobody listens."""
        ...


class Broker(Protocol):
    """What a backend does. Methods that wait may raise ChannelUnavailable, within a short time.

    Messages of a room come in with growing ids.

    Attributes:
        reaches_other_processes: Whether what one process publishes comes in in others.
        hearing: How well that works here; None where there is nothing between.
    """

    reaches_other_processes: bool

    @property
    def hearing(self) -> Hearing | None: ...

    def attach(
        self,
        deliver: Callable[[Envelope], None],
        missed: Callable[[], None],
        changed: Callable[[str], None],
        /,
    ) -> None:
        """Say who gets what comes in.

        Args:
            deliver: Called with each message of the rooms that are subscribed to.
            missed: Called when something may not have come in.
            changed: Called with the name of such a room when somebody came to it, or went.
        """
        ...

    async def subscribe(self, name: str, /) -> None:
        """Let messages of a room come in; when it returns, they do."""
        ...

    def unsubscribe(self, name: str, /) -> None:
        """Let them come in no more, soon."""
        ...

    async def publish(self, name: str, data: bytes, /, *, exclude: str, kept: Kept | None) -> int:
        """Send a message to every process; return its id."""
        ...

    async def recall(
        self, name: str, /, *, after: int | None, epoch: str, kept: Kept | None
    ) -> Recalled:
        """Return what came after an id; with None only where the room stands.

        Args:
            name: The room.
            after: The id.
            epoch: The epoch that it is of.
            kept: How much of the room's past is kept.
        """
        ...

    # --- who is there ---

    async def enter(self, name: str, key: str, shown: bytes, /) -> None:
        """Let somebody be in a room, by this process; what they show is JSON.

        Where it raises, they are in it from the next `renew` on.
        """
        ...

    async def leave(self, name: str, key: str, /) -> None:
        """Let them be in it no more, as far as this process knows."""
        ...

    async def present(self, name: str, /) -> Mapping[str, bytes]:
        """Return who is there, by any process that has been renewed, and what they show."""
        ...

    async def renew(self, here: Mapping[str, Sequence[str]], /) -> None:
        """Let those be there that this process knows, for some time from now on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelBackend:
    """The declaration of a backend, in an app's `channel_backends.py`.

    ```python
    NATS = ChannelBackend(name="nats", resource=nats_broker)
    ```

    Args:
        name: What CHANNELS.backend calls it.
        resource: Opens the Broker.
        fits: Says whether it is chosen where CHANNELS.backend is not written.
    """

    name: str
    resource: Resource[Any]
    fits: Callable[[Settings], bool] = lambda _: True


def backend_name(container: Container) -> str:
    """Return the name of the backend that the settings choose."""
    settings = container.settings
    if settings.environment == "test" and settings.section(Channels).backend is None:
        return MEMORY
    return chosen_backend(settings, container.registry.values("channel_backends"))


def chosen_backend(settings: Settings, declared: Iterable[ChannelBackend]) -> str:
    """Return the name of the backend that the settings choose where it is no test.

    Unless one is written, it is that of the first app that fits them.
    """
    written = settings.section(Channels).backend
    if written is not None:
        return written
    found = (each.name for each in declared if each.name != MEMORY and each.fits(settings))
    return next(found, MEMORY)


def broker_of(container: Container) -> Broker:
    """Return the running broker that CHANNELS.backend names.

    Raises:
        ChannelError: No installed app declares it.
    """
    name = backend_name(container)
    declared = {each.name: each for each in container.registry.values("channel_backends")}
    if name in declared:
        found: Broker = container[declared[name].resource]
        return found
    raise ChannelError(
        f"CHANNELS.backend is {name!r}, which no installed app declares",
        code="channels.E020",
        hint=backend_hint(name, declared),
        where=container.settings.where("CHANNELS"),
    )


def backend_hint(name: str, declared: Iterable[str]) -> str:
    """Return what to do about a backend that is not installed."""
    if name in _APPS:
        return f'add "{_APPS[name]}" to INSTALLED_APPS'
    return did_you_mean(name, (*declared, *_APPS)) or f"there are {', '.join(declared)}"
