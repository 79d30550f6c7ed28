"""The example project: copied to where a test may change it, and imported for as long as that."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.orm import clsregistry

from fastforge import Project
from fastforge.contrib.db import Model

from .folder import isolated
from .processes import ROOT

__all__ = ["copy_example", "imported_example"]


def copy_example(folder: Path) -> Path:
    """Copy the example without what somebody has left in it, and return the folder."""
    ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3*", ".env")
    shutil.copytree(ROOT / "example_project", folder, ignore=ignored)
    return folder


@contextmanager
def imported_example(folder: Path) -> Iterator[Callable[[str], Project]]:
    """Give what loads a copy of the example on a database; at the end its tables are forgotten."""

    def load(url: str) -> Project:
        environ = {"FASTFORGE_ENV": "test", "DATABASE_URL": url}
        return Project.load("conduit.settings", start=folder, environ=environ)

    try:
        with isolated(folder):
            yield load
    finally:
        _forget_models()


def _forget_models() -> None:
    """Let another copy declare the same classes and tables."""
    Model.registry.configure()  # one that is not could not be once its tables are gone
    for mapper in list(Model.registry.mappers):
        if mapper.class_.__module__.startswith("conduit."):
            clsregistry._remove_class(
                mapper.class_.__name__, mapper.class_, Model.registry._class_registry
            )
    for name, table in list(Model.metadata.tables.items()):
        if name.startswith(("accounts_", "articles_", "notifications_")):
            Model.metadata.remove(table)
