"""The resources of one process: the store of sessions, and what knows their cookies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from ..._utils import did_you_mean
from ...exceptions import StartError
from ...lifecycle import current_container, resource, section
from .cookies import Cookies
from .csrf import Csrf
from .database import DatabaseSessions
from .keeper import Keeper
from .secrets import Secrets
from .settings import DATABASE_STORE, Sessions
from .store import Lifetime, SessionStore

__all__ = ["database_sessions", "keeper_here", "session_keeper", "store_here"]


@resource
async def database_sessions() -> AsyncIterator[DatabaseSessions]:
    """Give the store that needs no server but the database."""
    yield DatabaseSessions()


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
    """Return the store that SESSIONS.store names.

    Raises:
        StartError: No installed app declares it.
        ContainerMissing: No project runs here.
    """
    container = current_container()
    name = container.settings.section(Sessions).store
    backends = {each.name: each for each in container.registry.values("session_stores")}
    if name in backends:
        store: SessionStore = container[backends[name].resource]
        return store
    raise StartError(
        f"SESSIONS.store is {name!r}, which no installed app declares",
        code="sessions.E010",
        hint=did_you_mean(name, backends) or f"there is {DATABASE_STORE!r}",
        where=container.settings.where("SESSIONS"),
    )
