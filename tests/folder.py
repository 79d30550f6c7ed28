"""A project in a temporary folder, written by a test as files."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fastforge import Project


class ProjectFolder:
    """Writes the files of a project and loads it.

    The package is called `shop` in every test; `isolated` takes its modules out of the
    interpreter again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, files: Mapping[str, str]) -> None:
        """Write files below the folder; missing `__init__.py` of their packages too."""
        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
            for folder in file.relative_to(self.path).parents:
                init = self.path / folder / "__init__.py"
                if name.endswith(".py") and folder != Path() and not init.exists():
                    init.write_text("", encoding="utf-8")

    def load(self, environ: Mapping[str, str] | None = None) -> Project:
        """Load the project whose settings are `shop.settings`."""
        variables = {"FASTFORGE_ENV": "test"} if environ is None else environ
        return Project.load("shop.settings", start=self.path, environ=variables)


@contextmanager
def isolated(path: Path) -> Iterator[ProjectFolder]:
    """Give a project folder, and forget at the end every module that was imported from it."""
    before = list(sys.path)
    (path / "pyproject.toml").touch()
    try:
        yield ProjectFolder(path)
    finally:
        sys.path[:] = before
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(str(path)):
                del sys.modules[name]
