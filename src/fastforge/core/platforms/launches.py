"""Launches: the commands that start another server than `manage runserver`, and how they do it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from ...exceptions import Location
from .files import Command, commands_in, platform_files

__all__ = ["GUNICORN_CONFIG", "Launch", "launches"]

SERVERS: Final = frozenset({"uvicorn", "gunicorn", "granian", "fastapi"})
GUNICORN_CONFIG: Final = "gunicorn.conf.py"
TARGET: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?")
SHORT: Final = {"k": "worker-class", "w": "workers", "c": "config"}
CONFIGURED: Final = re.compile(
    r"^(worker_class|graceful_timeout|workers)\s*=\s*[\"']?([\w.]+)", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A command that starts a server.

    Args:
        server: `uvicorn`, `gunicorn` or `granian`.
        options: What it is told, by the long names of its options; those of a configuration file of
            gunicorn among them.
        where: Where it is written.
    """

    server: str
    options: Mapping[str, str]
    where: Location

    @property
    def has_workers(self) -> bool:
        """Whether it is told to start several processes."""
        return self.options.get("workers", "1") != "1"


def launches(root: Path) -> Iterator[Launch]:
    """Yield the commands of a project's files that start a server other than ours."""
    for file in platform_files(root):
        for command in commands_in(file):
            launch = _launch(command, root)
            if launch is not None and "reload" not in launch.options:  # that is for development
                yield launch


def _launch(command: Command, root: Path) -> Launch | None:
    for index, word in enumerate(command.words):
        server, rest = PurePosixPath(word).name, command.words[index + 1 :]
        if server not in SERVERS:
            continue
        if server == "fastapi":  # it is uvicorn that serves
            if rest[:1] == ("run",):
                return Launch(server="uvicorn", options=_options(rest), where=command.where)
        elif any(TARGET.fullmatch(each) for each in rest):
            options = _options(rest)
            if server == "gunicorn":
                options = {**_configured(root, options), **options}
            return Launch(server=server, options=options, where=command.where)
    return None


def _options(words: tuple[str, ...]) -> dict[str, str]:
    """Return the options among words, with what follows them: `-w4`, `-w 4`, `--workers=4`."""
    found: dict[str, str] = {}
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word.startswith("--"):
            name, has_value, value = word[2:].partition("=")
            found[name] = value if has_value else following
        elif word.startswith("-") and word[1:2] in SHORT:
            found[SHORT[word[1]]] = word[2:].lstrip("=") or following
    return found


def _configured(root: Path, options: Mapping[str, str]) -> dict[str, str]:
    """Return what a file of settings tells gunicorn, as far as it is written there plainly."""
    name = options.get("config", GUNICORN_CONFIG).removeprefix("file:")
    try:
        text = (root / name).read_text("utf-8", errors="replace")
    except OSError:
        return {}
    return {key.replace("_", "-"): value for key, value in CONFIGURED.findall(text)}
