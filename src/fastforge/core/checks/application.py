"""What the server would refuse at its start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...checks import Level, Message, check
from ...exceptions import ForgeError, Location
from ...web.layers import settings_entries
from ...web.middleware import Middleware
from .served import served

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["application_can_be_built"]


@check(tags={"web"})
def application_can_be_built(project: Project) -> Iterator[Message]:
    """Find what the server would refuse at its start: routes, middleware, a module that fails."""
    refused = (*served(project).errors, *_refused_middleware(project))
    for error in {str(error): error for error in refused}.values():
        yield Message(
            id="core.E003",
            level=Level.ERROR,
            text=f"[{error.code}] {error.message}",
            hint=error.hint,
            where=error.where if isinstance(error.where, Location) else None,
        )


def _refused_middleware(project: Project) -> Iterator[ForgeError]:
    # That of the apps was validated when loaded.
    for entry, where in settings_entries(project.settings):
        try:
            Middleware.of(entry).validate()
        except ForgeError as error:
            error.where = error.where or where
            yield error
