"""NewProject: the files of a project that does not exist yet."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from .._utils import DISTRIBUTION
from .names import check_name

__all__ = ["NewProject", "new_project"]

TEMPLATES: Final = Path(__file__).parent / "templates" / "project"
SUFFIX: Final = ".template"
PACKAGE: Final = "project_name"
SECRET_KEY_BYTES: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """A project as text.

    Args:
        name: The project's and its package's name.
        files: The text of each file by its path, relative to the project's folder.
    """

    name: str
    files: Mapping[str, str]


def new_project(name: str) -> NewProject:
    """Render the files of a project; nothing is written.

    ```python
    new_project("shop").files["shop/settings.py"]
    ```

    Raises:
        CommandError: The name cannot be a package's, or is taken by another module.
    """
    check_name(name)
    values = {
        "name": name,
        "distribution": DISTRIBUTION,
        "secret_key": secrets.token_urlsafe(SECRET_KEY_BYTES),
    }
    return NewProject(name=name, files=dict(sorted(_rendered(values))))


def _rendered(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for template in TEMPLATES.rglob(f"*{SUFFIX}"):
        path = template.relative_to(TEMPLATES).as_posix().removesuffix(SUFFIX)
        text = Template(template.read_text(encoding="utf-8")).substitute(values)
        yield path.replace(f"{PACKAGE}/", f"{values['name']}/"), text
