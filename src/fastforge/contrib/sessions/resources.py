"""The resource of one process: what knows the cookies of sessions, and where these are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Annotated

from ..._utils import did_you_mean
from ...exceptions import StartError
from ...lifecycle import Container, current_container, resource, section
from .cookies import Cookies
from .csrf import Csrf
from .keeper import Keeper
from .secrets import Secrets
from .settings import Sessions
from .store import Lifetime, SessionBackend, SessionStore

__all__ = ["keeper_here", "session_keeper", "store_here", "store_hint"]


@resource
async def session_keeper(config: Annotated[Sessions, section(Sessions)]) -> AsyncIterator[Keeper]:
    """Give what all requests of a process share.

    Raises:
        SettingsError: SECRET_KEY is not set.
    """
    settings = current_container().settings
    yield Keeper(
        secrets=Secrets.of(settings),
        cookies=Cookies.of(settings),
        csrf=Csrf.of(settings),
        lifetime=Lifetime(idle_s=config.idle_s, whole_s=config.lifetime_s),
        max_bytes=config.max_bytes,
    )


def keeper_here() -> Keeper:
    """Return the keeper of the running project.

    Raises:
        ContainerMissing: No project runs here.
    """
    return current_container()[session_keeper]


def store_here() -> SessionStore:
    """Return the store that SESSIONS.store names; it is made when it is used first.

    Raises:
        StartError: No installed app declares it.
        ContainerMissing: No project runs here.
    """
    container = current_container()
    keeper = container[session_keeper]
    if keeper.store is None:
        keeper.store = _backend(container).open(container)
    return keeper.store


def _backend(container: Container) -> SessionBackend:
    name = container.settings.section(Sessions).store
    backends = {each.name: each for each in container.registry.values("session_stores")}
    if name in backends:
        backend: SessionBackend = backends[name]
        return backend
    raise StartError(
        f"SESSIONS.store is {name!r}, which no installed app declares",
        code="sessions.E010",
        hint=store_hint(name, backends),
        where=container.settings.where("SESSIONS"),
    )


def store_hint(name: str, names: Iterable[str]) -> str:
    """Return what to do about a store that is not installed."""
    if name == "redis":
        return 'add "fastforge.contrib.redis" to INSTALLED_APPS'
    return did_you_mean(name, names) or f"there is {' and '.join(map(repr, names))}"
