"""Dependencies: how the image installs what the project is locked to, or asks for."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from ...exceptions import CommandError
from ...scaffold.image import FROM_PYPROJECT

__all__ = ["install_steps"]

FROM_REQUIREMENTS: Final = """\
COPY requirements.txt ./
RUN pip install --requirement requirements.txt
"""

FROM_UV_LOCK: Final = """\
COPY pyproject.toml uv.lock ./
RUN python -m venv /uv && /uv/bin/pip install uv && \\
    UV_PROJECT_ENVIRONMENT=/venv /uv/bin/uv sync --locked --no-cache --no-dev --no-install-project
"""

FROM_DEPENDENCIES: Final = """\
COPY pyproject.toml ./
RUN python -c "import tomllib; \\
project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \\
print(*project['dependencies'], sep='\\n')" > requirements.txt && \\
    pip install --requirement requirements.txt
"""


def install_steps(root: Path) -> str:
    """Return the instructions of the Dockerfile that install what a project depends on.

    What locks versions comes first: `uv.lock`, then `requirements.txt`. Else it is what
    `pyproject.toml` names, without the project itself, which runs from its folder.

    Raises:
        CommandError: Nothing says what that is.
    """
    pyproject = root / "pyproject.toml"
    written: dict[str, Any] = (
        tomllib.loads(pyproject.read_text("utf-8")) if pyproject.is_file() else {}
    )
    project = written.get("project", {})
    if project and (root / "uv.lock").is_file():
        return FROM_UV_LOCK
    if (root / "requirements.txt").is_file():
        return FROM_REQUIREMENTS
    if "dependencies" not in project:
        raise CommandError(
            "nothing says what the image has to install",
            code="deploy.E003",
            hint="write [project] dependencies into pyproject.toml, or a requirements.txt",
            where=str(pyproject),
        )
    wheel = (
        written.get("tool", {}).get("hatch", {}).get("build", {}).get("targets", {}).get("wheel")
    )
    return FROM_PYPROJECT if (wheel or {}).get("bypass-selection") else FROM_DEPENDENCIES
