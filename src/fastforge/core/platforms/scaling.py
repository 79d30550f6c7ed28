"""Scaling: how many processes serve at most, by the manifests of a project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...exceptions import Location
from ..processes import CONCURRENCY_VARIABLE
from .files import PlatformFile, platform_files, uncommented

__all__ = ["Scale", "scales"]

MOST: Final = re.compile(r"^\s*maxReplicas:\s*(\d+)", re.MULTILINE)
FIXED: Final = re.compile(r"^\s*replicas:\s*(\d+)", re.MULTILINE)
IN_A_POD: Final = re.compile(rf"\b{CONCURRENCY_VARIABLE}\b[\s,\"']*value:\s*[\"']?(\d+)")
SERVES: Final = re.compile(r"\brunserver\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many pods of the server there may be.

    Args:
        pods: How many at most.
        processes: How many processes one has, where the manifest says it.
        where: Where the number of pods is written.
    """

    pods: int
    processes: int | None
    where: Location


def scales(root: Path) -> Iterator[Scale]:
    """Yield how many pods serve, of each manifest of a project that says it."""
    for file in platform_files(root):
        text = uncommented(file.text)
        if file.path.suffix in (".yaml", ".yml") and SERVES.search(text):
            yield from _of(file, text)


def _of(file: PlatformFile, text: str) -> Iterator[Scale]:
    found = MOST.search(text) or FIXED.search(text)
    if found is not None:
        each = IN_A_POD.search(text)
        yield Scale(
            pods=int(found[1]),
            processes=int(each[1]) if each else None,
            where=file.at(found.start(1)),
        )
