"""Repeated: the warning about a statement that a request runs once for each row of another."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

from greenlet import getcurrent  # type: ignore[import-untyped]

from ...._utils import is_written_by_the_user
from ....exceptions import Location
from ..internals import relationship_loaded
from ..sessions.statements import is_read
from .origin import Origin
from .shown import shown

__all__ = ["REPEATED_QUERY", "Repetitions"]

logger = logging.getLogger("fastforge.contrib.db.queries")

REPEATED_QUERY: Final = "repeated_query"
"""The event of the line, among its fields."""


class Repetitions:
    """Warns of each statement of a route or task once.

    Sockets and commands are left out: the one repeats what each message asks, the other goes
    through tables.
    """

    def __init__(self) -> None:
        self._warned: set[tuple[str, str]] = set()

    def warn(self, times: int, sql: str, context: Any) -> None:
        """Write the line, unless it has been written."""
        origin = Origin.here()
        place = origin.place
        if not place or origin.method == "WEBSOCKET" or not is_read(sql):
            return
        if (place, sql) in self._warned:
            return
        self._warned.add((place, sql))
        relationship = relationship_loaded(context)
        cause, remedy = _advice(relationship)
        place_in_code = _place_in_code()
        fields = {
            "event": REPEATED_QUERY,
            "times": times,
            "route": origin.route,
            "request_id": origin.request_id,
            "task": origin.job.task if origin.job else None,
            "job": origin.job.uid if origin.job else None,
            "relationship": relationship,
            "where": place_in_code and str(place_in_code),
            "sql": shown(sql),
        }
        where = f", at {place_in_code}" if place_in_code else ""
        text = f"repeated query: {times} times in {origin}{where}{cause}: {fields['sql']}; {remedy}"
        logger.warning("%s", text, extra=fields)


def _advice(relationship: str | None) -> tuple[str, str]:
    if relationship is None:
        return "", "ask once for all of them: .where(Model.id.in_(ids))"
    model = relationship.partition(".")[0]
    return (
        f", which loads {relationship} for one {model} after the other",
        f"add .options(selectinload({relationship})) to the select of {model}",
    )


def _place_in_code() -> Location | None:
    """Return the line of the user's that asks, the innermost."""
    for frame in _frames():
        if is_written_by_the_user(frame.f_code.co_filename):
            return Location(frame.f_code.co_filename, frame.f_lineno)
    return None


def _frames() -> Iterator[FrameType]:
    """Yield the frames from here outwards: those of the driver's greenlet, then who awaits it."""
    parent = getcurrent().parent
    awaiting: FrameType | None = None if parent is None else parent.gr_frame
    for frame in (sys._getframe(1), awaiting):
        while frame is not None:
            yield frame
            frame = frame.f_back
