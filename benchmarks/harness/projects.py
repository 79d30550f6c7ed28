"""Projects: fastforge projects in temporary folders, and their application with its life around."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from fastforge import Project
from fastforge.asgi import get_asgi_application

__all__ = ["serving", "write_project"]


def write_project(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a project whose package is `bench`."""
    for name, text in {"pyproject.toml": "", "bench/__init__.py": "", **files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")


@asynccontextmanager
async def serving(
    folder: Path, *, environment: str = "production"
) -> AsyncIterator[tuple[Project, FastAPI]]:
    """Load the project, and give its application while its lifespan runs.

    Args:
        folder: Where `write_project` has written it; one that was served before is forgotten.
        environment: In `test` no access line is written.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == "bench"]:
        del sys.modules[name]
    environ = {"FASTFORGE_ENV": environment}
    project = Project.load("bench.settings", start=folder, environ=environ)
    app = get_asgi_application(project)
    async with app.router.lifespan_context(app):
        yield project, app
