"""CORS: which other pages may call, and how much wider that is than it looks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ...checks import Level, Message, check
from ...web.settings import Cors, Security

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "origins_are_encrypted",
    "origins_are_named",
    "patterns_mean_what_they_say",
    "sockets_are_for_pages_of_ours",
]

LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
ESCAPES_AND_SETS: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]")
ANY_CHARACTER: Final = re.compile(r"\.(?![*+?{])")
ANY_BEGINNING: Final = re.compile(r"\.[*+]\??\)?(?=[A-Za-z0-9])")


@check(tags={"security", "settings"}, deploy=True)
def origins_are_named(project: Project) -> Iterator[Message]:
    """Tell that every page of the web may call."""
    if "*" in project.settings.section(Cors).allow_origins:
        yield Message(
            id="web.W063",
            level=Level.WARNING,
            text="CORS.allow_origins has '*': the scripts of every page may call, and read what"
            " is answered",
            hint="write the origins of your pages, or silence this where the API is for everybody",
            where=project.settings.where("CORS"),
        )


@check(tags={"security", "settings"}, deploy=True)
def sockets_are_for_pages_of_ours(project: Project) -> Iterator[Message]:
    """Tell that every page of the web may open sockets, with the cookies of who looks at it."""
    if "*" in project.settings.section(Security).socket_origins:
        yield Message(
            id="web.W075",
            level=Level.WARNING,
            text="SECURITY.socket_origins has '*': the scripts of every page may open web sockets,"
            " with the cookies of whoever looks at it",
            hint="write the origins of your pages, or silence this where no cookie says who asks",
            where=project.settings.where("SECURITY"),
        )


@check(tags={"security", "settings"}, deploy=True)
def origins_are_encrypted(project: Project) -> Iterator[Message]:
    """Tell of pages that somebody can change on their way, and of those of whoever develops."""
    is_production = project.settings.environment == "production"
    where = project.settings.where("CORS")
    for origin in project.settings.section(Cors).allow_origins:
        parts = urlsplit(origin)
        is_local = parts.hostname in LOCAL
        if parts.scheme == "http" and not is_local:
            yield Message(
                id="web.W064",
                level=Level.WARNING,
                text=f"CORS.allow_origins has {origin}: whoever changes that page on its way may"
                " call as its users",
                hint=f"write https://{parts.netloc}",
                where=where,
            )
        elif is_local and is_production:
            yield Message(
                id="web.W065",
                level=Level.WARNING,
                text=f"CORS.allow_origins has {origin} in production: whatever runs on a user's"
                " machine may call",
                hint="leave it to the settings of development, or to a variable",
                where=where,
            )


@check(tags={"security", "settings"}, deploy=True)
def patterns_mean_what_they_say(project: Project) -> Iterator[Message]:
    """Tell of a pattern that takes in the domains of others."""
    pattern = project.settings.section(Cors).allow_origin_regex
    bare = ESCAPES_AND_SETS.sub("\\\\", pattern)  # what is escaped, or in a set, is meant
    reason = ""
    if ANY_CHARACTER.search(bare):
        reason = "a dot in it stands for any character: write \\."
    elif ANY_BEGINNING.search(bare):
        reason = "what stands before the name may be the end of another name: write \\. before it"
    if reason:
        yield Message(
            id="web.W066",
            level=Level.WARNING,
            text=f"CORS.allow_origin_regex {pattern!r} allows domains that anybody can register",
            hint=reason,
            where=project.settings.where("CORS"),
        )
