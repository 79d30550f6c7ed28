"""Creation: the FastAPI instance of a project, and the limits that hold for any instance."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from ..core.settings import Server
from ..project import Project

__all__ = ["limit_bodies", "new_application"]

NO_DOCS: Final[dict[str, Any]] = {"docs_url": None, "redoc_url": None, "openapi_url": None}


def new_application(project: Project) -> FastAPI:
    """Return an application without routes, with what the settings say of it."""
    docs = {} if project.settings["DOCS"] else NO_DOCS
    # Not `debug=`: Starlette would answer every failure with a traceback, not browsers alone.
    return FastAPI(title=project.name, **docs)


def limit_bodies(app: FastAPI, project: Project) -> None:
    """Limit what a request may bring, wherever the application has no limit of its own."""
    server = project.settings.section(Server)
    # FastAPI reads both late: the first when it builds the middleware, the second at a request.
    if app.max_body_size is None:
        app.max_body_size = server.max_body_bytes
    forms = app.router.form_limits
    forms.setdefault("max_fields", server.max_form_fields)
    forms.setdefault("max_files", server.max_form_files)
    forms.setdefault("max_part_size", server.max_form_part_bytes)
