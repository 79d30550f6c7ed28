"""Files: where a project says how it is run, and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...exceptions import Location

__all__ = ["Command", "PlatformFile", "commands_in", "platform_files", "uncommented"]

PATTERNS: Final = (
    "Procfile",
    "Dockerfile*",
    "*.Dockerfile",
    "*compose*.y*ml",
    "*.service",
    "*.sh",
    *(
        f"{folder}/**/{pattern}"
        for folder in ("deploy", "k8s", "kubernetes")
        for pattern in ("*.y*ml", "*.service", "Dockerfile*")
    ),
)
ELSEWHERE: Final = re.compile(r"(?<![a-z])(?:dev|development|tests?|local|override|ci)(?![a-z])")
"""What the names of files have that are not for production."""
LARGEST_BYTES: Final = 1024 * 1024
WORD: Final = re.compile(r"[^\s\"',\[\]{}]+")
COMMENT: Final = re.compile(r"^[ \t]*#[^\n]*", re.MULTILINE)
SEPARATORS: Final = frozenset({"&&", "||", ";", "|", "&"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformFile:
    """One file that says how something is run."""

    path: Path
    text: str

    def at(self, offset: int) -> Location:
        """Return the place of a character."""
        return Location(str(self.path), self.text.count("\n", 0, offset) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A line of a file, as words: a command perhaps, in whatever way it is quoted there."""

    words: tuple[str, ...]
    where: Location


def platform_files(root: Path) -> Iterator[PlatformFile]:
    """Yield the files that say how a project is run in production, as far as their names tell."""
    found = {path for pattern in PATTERNS for path in root.glob(pattern)}
    paths = (path for path in found if not ELSEWHERE.search(path.name.lower()))
    for path in sorted(paths):
        try:
            if path.is_file() and path.stat().st_size <= LARGEST_BYTES:
                yield PlatformFile(path=path, text=path.read_text("utf-8", errors="replace"))
        except OSError:  # not ours to read
            continue


def uncommented(text: str) -> str:
    """Return a text with its whole-line comments made blank, everything else at its place."""
    return COMMENT.sub(lambda comment: " " * len(comment[0]), text)


def commands_in(file: PlatformFile) -> Iterator[Command]:
    """Yield the lines of a file as words, those of one command together.

    A line that ends in a backslash goes on, and so does a list of YAML. Comments are left out.
    """
    gathered: list[str] = []
    first, goes_on = 1, False
    for number, line in enumerate(file.text.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if not (goes_on or (gathered and text.startswith("- "))):
            yield from _commands(gathered, Location(str(file.path), first))
            gathered, first = [], number
        goes_on = text.endswith("\\")
        gathered += WORD.findall(text.rstrip("\\").removeprefix("- "))
    yield from _commands(gathered, Location(str(file.path), first))


def _commands(words: list[str], where: Location) -> Iterator[Command]:
    """Yield what stands between `&&` and its like."""
    part: list[str] = []
    for word in [*words, ";"]:
        if word in SEPARATORS:
            if part:
                yield Command(words=tuple(part), where=where)
            part = []
        else:
            part.append(word.rstrip(";"))
