"""Images: what a project's Dockerfiles say of the last stage, the one that runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from ...exceptions import Location
from .files import PlatformFile, platform_files, uncommented

__all__ = ["Image", "Instruction", "images", "is_left_out"]

CONTINUED: Final = re.compile(r"\\[ \t]*\n")
INSTRUCTION: Final = re.compile(r"^[ \t]*([A-Za-z]+)[ \t]+(.*\S)", re.MULTILINE)
STAGE: Final = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+[Aa][Ss]\s+(\S+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction of a Dockerfile: its word in upper case, what follows, and its place."""

    word: str
    rest: str
    where: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What is built from a Dockerfile.

    Args:
        bases: What its stages begin with, stages of the file itself left out.
        last: The instructions of its last stage, FROM first.
    """

    bases: tuple[Instruction, ...]
    last: tuple[Instruction, ...]

    def final(self, *words: str) -> Instruction | None:
        """Return the last of the instructions with one of these words."""
        return next((each for each in reversed(self.last) if each.word in words), None)


def images(root: Path) -> Iterator[Image]:
    """Yield the images that the Dockerfiles of a project build."""
    for file in platform_files(root):
        if "dockerfile" in file.path.name.lower():
            found = _image(list(_instructions(file)))
            if found is not None:
                yield found


def is_left_out(root: Path, name: str) -> bool:
    """Return whether `.dockerignore` keeps a file of the project's folder out of images."""
    try:
        lines = (root / ".dockerignore").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return False
    patterns = (line.strip().removeprefix("**/").strip("/") for line in lines)
    return any(fnmatchcase(name, pattern) for pattern in patterns if pattern)


def _instructions(file: PlatformFile) -> Iterator[Instruction]:
    # As many characters as before, so that each keeps its place.
    text = CONTINUED.sub(lambda found: " " * len(found[0]), uncommented(file.text))
    lines = list(_line_starts(file.text))
    for found in INSTRUCTION.finditer(text):
        line = sum(start <= found.start(1) for start in lines)
        where = Location(str(file.path), line)
        yield Instruction(word=found[1].upper(), rest=found[2], where=where)


def _line_starts(text: str) -> Iterator[int]:
    yield 0
    yield from (found.end() for found in re.finditer("\n", text))


def _image(instructions: list[Instruction]) -> Image | None:
    stages: set[str] = set()
    bases: list[Instruction] = []
    start = None
    for index, each in enumerate(instructions):
        if each.word == "FROM" and (stage := STAGE.match(each.rest)):
            start = index
            if stage[1] not in stages:
                bases.append(each)
            stages.add(stage[2] or "")
    return None if start is None else Image(bases=tuple(bases), last=tuple(instructions[start:]))
