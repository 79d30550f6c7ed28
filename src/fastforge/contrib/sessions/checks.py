"""Checks of SESSIONS: where they are kept, and who else could have or use their cookies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...checks import Level, Message, check
from ...web.settings import Cors
from .kinds import SESSION_STORES
from .resources import store_hint
from .settings import Sessions

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "cookies_are_encrypted",
    "origins_with_credentials_are_trusted",
    "store_exists",
    "trusted_origins_are_encrypted",
]


@check(tags={"sessions", "settings"})
def store_exists(project: Project) -> Iterator[Message]:
    """Find a SESSIONS.store that no installed app declares."""
    name = project.settings.section(Sessions).store
    names = [each.name for each in project.registry.values(SESSION_STORES)]
    if name not in names:
        yield Message(
            id="sessions.E001",
            level=Level.ERROR,
            text=f"SESSIONS.store is {name!r}, which no installed app declares",
            hint=store_hint(name, names),
            where=project.settings.where("SESSIONS"),
        )


@check(tags={"sessions", "security"}, deploy=True)
def cookies_are_encrypted(project: Project) -> Iterator[Message]:
    """Tell of cookies that whoever listens could use."""
    if project.settings.section(Sessions).secure_in("production") is not True:
        yield Message(
            id="sessions.W001",
            level=Level.WARNING,
            text="SESSIONS.secure is off: whoever listens to a request over plain HTTP has its"
            " session",
            hint="leave it out: a laptop is served over plain HTTP all the same",
            where=project.settings.where("SESSIONS"),
        )


@check(tags={"sessions", "security"}, deploy=True)
def origins_with_credentials_are_trusted(project: Project) -> Iterator[Message]:
    """Tell of pages that may send cookies, and are refused as soon as they change something."""
    cors = project.settings.section(Cors)
    if not cors.allow_credentials:
        return
    trusted = project.settings.section(Sessions).trusted_origins
    for origin in cors.allow_origins:
        if origin not in trusted:
            yield Message(
                id="sessions.W002",
                level=Level.WARNING,
                text=f"CORS lets {origin} send cookies, and what it changes with one is refused",
                hint=f"write {origin!r} into SESSIONS.trusted_origins, if its pages may act as"
                " whoever has logged in",
                where=project.settings.where("SESSIONS") or project.settings.where("CORS"),
            )


@check(tags={"sessions", "security"}, deploy=True)
def trusted_origins_are_encrypted(project: Project) -> Iterator[Message]:
    """Tell of pages that somebody can change on their way, and that may act as our users."""
    for origin in project.settings.section(Sessions).trusted_origins:
        if origin.startswith("http:"):
            yield Message(
                id="sessions.W003",
                level=Level.WARNING,
                text=f"SESSIONS.trusted_origins has {origin}: whoever changes that page on its way"
                " may act as whoever has logged in",
                hint=f"write https:{origin.removeprefix('http:')}",
                where=project.settings.where("SESSIONS"),
            )
