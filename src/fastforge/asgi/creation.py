"""Creation: the FastAPI instance of a project that brings none."""

from __future__ import annotations

from fastapi import FastAPI

from ..project import Project

__all__ = ["new_application"]


def new_application(project: Project) -> FastAPI:
    """Return an application without routes, with what the settings say of it."""
    return FastAPI(title=project.name, debug=project.settings.debug)
