"""NewProject: the files of a project that does not exist yet."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from .. import __version__
from .._utils import DISTRIBUTION
from .changes import Change
from .image import Image, image_files
from .names import check_name

__all__ = ["NewProject", "new_project"]

TEMPLATES: Final = Path(__file__).parent / "templates" / "project"
SUFFIX: Final = ".template"
PACKAGE: Final = "project_name"
SECRET_KEY_BYTES: Final = 48
IMAGE_START_S: Final = 60
IMAGE_STOP_S: Final = 58
"""What `manage deploy docker` works out for a new project; a test of it compares."""

# Below the project's folder; the package's own files belong to the smallest project too.
MINIMAL: Final = frozenset({"manage.py", "pyproject.toml", ".env", ".gitignore"})
EXECUTABLE: Final = frozenset({"manage.py"})
PRIVATE: Final = frozenset({".env"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """A project as text.

    Args:
        name: The project's and its package's name.
        files: The text of each file by its path, relative to the project's folder.
    """

    name: str
    files: Mapping[str, str]

    def changes(self, folder: Path) -> tuple[Change, ...]:
        """Return what has to be written to have the project in a folder.

        Surprises: `.env` holds a secret and is for its owner's eyes only.
        """
        return tuple(
            Change(
                path=folder / path,
                after=text,
                is_executable=path in EXECUTABLE,
                is_private=path in PRIVATE,
            )
            for path, text in self.files.items()
        )


def new_project(name: str, *, minimal: bool = False) -> NewProject:
    """Render the files of a project; nothing is written.

    ```python
    new_project("shop").files["shop/settings.py"]
    ```

    Args:
        name: The project's and its package's name.
        minimal: Only what the project needs to run: no test, no Dockerfile, no page to read.

    Raises:
        CommandError: The name cannot be a package's, or is taken by another module.
    """
    check_name(name)
    values = {
        "name": name,
        "distribution": DISTRIBUTION,
        "versions": _versions(__version__),
        "python": ".".join(map(str, sys.version_info[:2])),
        "secret_key": secrets.token_urlsafe(SECRET_KEY_BYTES),
    }
    image = Image(name=name, python=values["python"], start_s=IMAGE_START_S, stop_s=IMAGE_STOP_S)
    files = sorted([*_rendered(values), *image_files(image).items()])
    wanted = (file for file in files if not minimal or _is_minimal(file[0], name))
    return NewProject(name=name, files=dict(wanted))


def _versions(version: str) -> str:
    """Return from which version on, and below which, the written files hold: `>=0.1.0,<0.2`.

    >>> _versions("1.4.2")
    '>=1.4.2,<2'
    """
    major, minor, *_ = map(int, version.split(".")[:2])
    # Before 1.0 a minor version may break what a project has written.
    return f">={version},<{major + 1 if major else f'0.{minor + 1}'}"


def _is_minimal(path: str, package: str) -> bool:
    return path in MINIMAL or path.startswith(f"{package}/")


def _rendered(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for template in TEMPLATES.rglob(f"*{SUFFIX}"):
        path = template.relative_to(TEMPLATES).as_posix().removesuffix(SUFFIX)
        text = Template(template.read_text(encoding="utf-8")).substitute(values)
        yield path.replace(f"{PACKAGE}/", f"{values['name']}/"), text
