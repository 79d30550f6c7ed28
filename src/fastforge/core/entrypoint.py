"""Entrypoint: which application a server serves, and its import."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from .._modules import find_module
from .._utils import did_you_mean, failing_line, import_hint, told
from ..conf.finding import SETTINGS_VARIABLE, tool_table
from ..exceptions import ForgeError, StartError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..project import Project

__all__ = ["PLAIN_APPLICATION", "find_application", "load_application", "written_application"]

PLAIN_APPLICATION: Final = "fastforge.management.application:app"


def find_application(settings_module: str, root: Path) -> str:
    """Return `package.module:attribute`, importing nothing of the project.

    It is the entry of `pyproject.toml`, else the `app` of the package's `asgi.py`, else one made
    of the settings alone.

    Raises:
        SettingsError: `pyproject.toml` is not valid.
    """
    pyproject = root / "pyproject.toml"
    if pyproject.is_file() and (entrypoint := tool_table(pyproject, "fastapi").get("entrypoint")):
        return str(entrypoint)
    package, separator, _ = settings_module.partition(".")
    has_asgi = separator and find_module(f"{package}.asgi")
    return f"{package}.asgi:app" if has_asgi else PLAIN_APPLICATION


def load_application(path: str) -> Any:
    """Import `package.module:attribute`.

    Raises:
        StartError: The module does not exist or fails, or has no such attribute.
        ForgeError: What the module's own code raised: a mistake in the settings, for example.
    """
    module_name, _, attribute = path.partition(":")
    module = _import(module_name)
    if attribute and hasattr(module, attribute):
        return getattr(module, attribute)
    near = did_you_mean(attribute, vars(module))
    raise StartError(
        f"{module_name} has no application {attribute!r}",
        code="server.E005",
        hint=near or "write `app = get_asgi_application()` in it",
        where=getattr(module, "__file__", None),
    )


def written_application(project: Project) -> FastAPI | None:
    """Return the application that a module of the project makes, for checks that look at it.

    None where no module makes one, or what it makes is no FastAPI application.

    Surprises: the module is imported, and reads the settings of `project` anew.

    Raises:
        ForgeError: As `load_application`.
    """
    from fastapi import FastAPI

    path = find_application(project.settings.module, project.settings.root)
    if path == PLAIN_APPLICATION:
        return None
    with _settings_of(project):
        found = load_application(path)
    return found if isinstance(found, FastAPI) else None


@contextmanager
def _settings_of(project: Project) -> Iterator[None]:
    """Have the module of the application read the settings that the project has."""
    before = os.environ.get(SETTINGS_VARIABLE)
    os.environ[SETTINGS_VARIABLE] = project.settings.module
    try:
        yield
    finally:
        if before is None:
            del os.environ[SETTINGS_VARIABLE]
        else:
            os.environ[SETTINGS_VARIABLE] = before


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ForgeError:
        raise
    except (Exception, SystemExit) as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        raise StartError(
            f"{name} does not load: {told(error)}",
            code="server.E004",
            hint="run this in the project's folder"
            if missing == name.partition(".")[0]
            else import_hint(error),
            where=failing_line(error),
        ) from error
