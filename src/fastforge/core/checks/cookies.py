"""Middleware whose defaults, or whose options, are wrong in production."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..._utils import without_partials
from ...checks import Level, Message, check
from .middleware import each_middleware

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["cookies_are_encrypted", "credentials_are_for_named_origins"]


@check(tags={"security", "web"}, deploy=True)
def cookies_are_encrypted(project: Project) -> Iterator[Message]:
    """Tell of session cookies that also go out without encryption."""
    for factory, options, where in each_middleware(project):
        name = getattr(without_partials(factory), "__name__", "")
        if name == "SessionMiddleware" and not options.get("https_only"):
            yield Message(
                id="web.W074",
                level=Level.WARNING,
                text="the cookie of SessionMiddleware is also sent unencrypted (https_only is off)",
                hint="write https_only=True",
                where=where,
            )


@check(tags={"security", "web"}, deploy=True)
def credentials_are_for_named_origins(project: Project) -> Iterator[Message]:
    """Refuse Starlette's CORSMiddleware that lets every page act as whoever has logged in."""
    for factory, options, where in each_middleware(project):
        name = getattr(without_partials(factory), "__name__", "")
        is_open = options.get("allow_credentials") and "*" in options.get("allow_origins", ())
        if name == "CORSMiddleware" and is_open:
            yield Message(
                id="web.E062",
                level=Level.ERROR,
                text="CORSMiddleware allows every origin with credentials: each page of the web"
                " can act as whoever has logged in",
                hint="write CORS = Cors(allow_origins=[...]) in its place",
                where=where,
            )
