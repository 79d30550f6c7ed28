"""Reports: the lines of a watchdog, no more than one story a minute of the same line."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Reports"]

logger = logging.getLogger("fastforge.watchdog")

MOST_KEYS: Final = 256
"""How many lines are remembered: of more, the one that was told of longest ago is forgotten."""


@dataclass(slots=True)
class _Told:
    at: float
    left_out: int = 0
    left_out_s: float = 0


class Reports:
    """Writes what was found, and counts what it leaves out.

    Args:
        every_s: How long the same thing is not told of again, in seconds.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._told: OrderedDict[Hashable, _Told] = OrderedDict()

    def may_tell(self, key: Hashable, duration_s: float = 0) -> dict[str, Any] | None:
        """Return what has been left out since the last time; None if it is too soon to tell.

        Args:
            key: What it is about.
            duration_s: For how long it was this time; added to what is left out.
        """
        now, told = time.monotonic(), self._told.get(key)
        if told is not None and now - told.at < self._every_s:
            told.left_out += 1
            told.left_out_s += duration_s
            return None
        self._told[key] = _Told(now)
        self._told.move_to_end(key)
        while len(self._told) > MOST_KEYS:
            self._told.popitem(last=False)
        if told is None or not told.left_out:
            return {}
        return {"repeated": told.left_out, "repeated_s": round(told.left_out_s, 3)}

    def write(self, event: str, fields: dict[str, Any]) -> None:
        """Write a line: the name of the event, and its fields beside it."""
        if logger.hasHandlers():
            logger.warning(event, extra=fields)
        else:  # what logging does then shows no fields
            logger.warning("%s %s", event, " ".join(f"{key}={fields[key]}" for key in fields))
