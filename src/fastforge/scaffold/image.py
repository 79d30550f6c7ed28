"""Image: the Dockerfile of a project, and what is left out of the image."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .filling import fill

__all__ = ["FROM_PYPROJECT", "PORT", "USER_ID", "Image", "health_check", "image_files"]

TEMPLATES: Final = Path(__file__).parent / "templates" / "deploy"
SUFFIX: Final = ".template"

PORT: Final = 8000
"""Where the server of an image listens, on every address of its container."""
USER_ID: Final = 10001
"""Who runs in the container: above the numbers that systems give to people and services."""

FROM_PYPROJECT: Final = """\
COPY pyproject.toml ./
RUN pip install .
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What has to be known of a project to write its Dockerfile.

    Args:
        name: What the image is called.
        python: The version of Python, for example 3.13.
        manage: The command line of the project: the words that come before a command.
        install: The instructions that install what the project depends on.
        settings_module: The settings module; empty where `pyproject.toml` names it.
        live_path: Where the server says that it lives; empty for nowhere.
        start_s: How long the server may take to start, in seconds.
        stop_s: How long it may take to stop, in seconds.
    """

    name: str
    python: str
    manage: Sequence[str] = ("python", "manage.py")
    install: str = FROM_PYPROJECT
    settings_module: str = ""
    live_path: str = "/livez"
    start_s: int
    stop_s: int


def image_files(image: Image) -> Mapping[str, str]:
    """Return the text of each file by its path, relative to the project's folder."""
    module = image.settings_module
    values = {
        "name": image.name,
        "python": image.python,
        "manage": " ".join(image.manage),
        "install": image.install,
        "settings": f"ENV FASTFORGE_SETTINGS_MODULE={module}" if module else "",
        "health_check": _health_check(image),
        "user": str(USER_ID),
        "port": str(PORT),
        "stop_s": str(image.stop_s),
        "serve": _quoted([*image.manage, "runserver", f"0.0.0.0:{PORT}"]),
    }
    names = ("Dockerfile", ".dockerignore")
    texts = {name: (TEMPLATES / f"{name}{SUFFIX}").read_text(encoding="utf-8") for name in names}
    return {name: fill(text, values) for name, text in texts.items()}


def health_check(port: int, path: str) -> tuple[str, ...]:
    """Return a command that fails unless a path is answered with 200 on this host.

    It needs no program but the Python of the image, and goes past any proxy.
    """
    program = (
        "import http.client as http;"
        f" server = http.HTTPConnection('127.0.0.1', {port}, timeout=2);"
        f" server.request('GET', {path!r});"
        " raise SystemExit(server.getresponse().status != 200)"
    )
    return ("python", "-c", program)


def _health_check(image: Image) -> str:
    if not image.live_path:
        return ""
    return (
        "# That it lives, not that it is ready: whoever restarts what is unhealthy must not do so\n"
        "# because a database is away.\n"
        f"HEALTHCHECK --interval=10s --timeout=3s --start-period={image.start_s}s \\\n"
        f"    CMD [{_quoted(health_check(PORT, image.live_path))}]"
    )


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(map(json.dumps, words))
