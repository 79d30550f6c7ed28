"""Silence: what a project does not want to be told, in its settings or beside the line itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from ..exceptions import Location
from .check import Message

__all__ = ["Silence"]

# `# silenced blocking.W003: a kilobyte, on a disk in memory`
_COMMENT: Final = re.compile(r"#\s*silenced\s+(?P<ids>[\w.]+(?:\s*,\s*[\w.]+)*)\s*:\s*\S")


class Silence:
    """Tells which messages are not reported; without a reason each of them is.

    Args:
        reasons: SILENCED_CHECKS.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self._everywhere = {check_id for check_id, reason in reasons.items() if reason.strip()}
        self._files: dict[str, Sequence[str]] = {}

    def hides(self, message: Message) -> bool:
        """Return whether a message is silenced: everywhere, or by a comment at its place."""
        return message.id in self._everywhere or (
            message.where is not None and message.id in self._at(message.where)
        )

    def _at(self, where: Location) -> set[str]:
        """Return what the comment on a line says, or one that has the line above to itself."""
        lines = self._lines(where.file)
        beside = lines[where.line - 1 : where.line]
        above = [line for line in lines[max(where.line - 2, 0) : where.line - 1] if _is_alone(line)]
        found = (_COMMENT.search(line) for line in (*beside, *above))
        return {each.strip() for match in found if match for each in match["ids"].split(",")}

    def _lines(self, file: str) -> Sequence[str]:
        if file not in self._files:
            try:
                with open(file, encoding="utf-8", errors="replace") as stream:
                    self._files[file] = stream.read().splitlines()
            except OSError:
                self._files[file] = ()
        return self._files[file]


def _is_alone(line: str) -> bool:
    return line.lstrip().startswith("#")
