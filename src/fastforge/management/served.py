"""Served: the application that a server would serve, for the commands that look at it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..exceptions import CommandError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..project import Project

__all__ = ["served_application"]


def served_application(project: Project) -> FastAPI:
    """Return a project's application, which nothing has started and nothing has been opened for.

    Surprises: the module that makes it is imported, and reads the settings of `project` anew.

    Raises:
        StartError: The module does not load.
        CommandError: What it gives is no FastAPI application.
    """
    from fastapi import FastAPI

    from ..asgi import get_asgi_application
    from ..core.entrypoint import PLAIN_APPLICATION, find_application, load_application

    settings = project.settings
    path = find_application(settings.module, settings.root)
    if path == PLAIN_APPLICATION:
        return get_asgi_application(project)
    os.environ["FASTFORGE_SETTINGS_MODULE"] = settings.module
    found = load_application(path)
    if isinstance(found, FastAPI):
        return found
    raise CommandError(
        f"{path} is a {type(found).__name__}, no FastAPI application",
        code="management.E022",
        hint="name the FastAPI application itself in [tool.fastapi] entrypoint",
    )
