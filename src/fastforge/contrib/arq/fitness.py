"""Fitness: whether what was read of a job can be run, and be remembered in the database.

Whoever can write to Redis can write anything there. What fits nowhere is found when it is read,
and ends as one unreadable job: further in it would stop a worker, or all of them.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from ...tasks.envelope import Envelope

__all__ = ["refuse_unfit"]

MOST: Final = 2**31 - 1
MOST_SMALL: Final = 2**15 - 1


def refuse_unfit(envelope: Envelope) -> None:
    """Refuse a job with a field that holds what it cannot hold.

    Raises:
        ValueError: One does not.
        TypeError: Its limits are no such things.
    """
    for name, fits in _checks(envelope):
        if not fits:
            raise ValueError(f"its {name} cannot be what it is")


def _checks(envelope: Envelope) -> Iterator[tuple[str, bool]]:
    unique, slots, pace = envelope.unique, envelope.slots, envelope.pace
    headers: Any = envelope.headers
    yield "task", _is_text(envelope.task)
    yield "queue", _is_text(envelope.queue)
    yield "version", _is_whole(envelope.version, 0, MOST_SMALL)
    yield "number of attempts", _is_whole(envelope.max_attempts, 1, MOST_SMALL)
    yield "priority", _is_whole(envelope.priority, -MOST_SMALL, MOST_SMALL)
    yield "delay", _is_number(envelope.delay_s, 0)
    yield "due time", _is_moment(envelope.run_at)
    yield "expiry", _is_moment(envelope.expires_at)
    yield "batch", envelope.batch is None or _is_uuid(envelope.batch)
    yield "headers", isinstance(headers, dict) and all(map(_is_text, headers.values()))
    if unique is not None:
        lasts = unique.for_s is None or _is_number(unique.for_s, 0)
        yield "unique key", _is_text(unique.key) and lasts
    if slots is not None:
        yield "slots", _is_text(slots.key) and _is_whole(slots.limit, 1, MOST)
    if pace is not None:
        is_pace = _is_whole(pace.limit, 1, MOST) and _is_number(pace.per_s, 1e-6)
        yield "pace", _is_text(pace.key) and is_pace


def _is_text(value: Any) -> bool:
    """Return whether a database can keep a text: PostgreSQL has no NUL, and nobody surrogates."""
    return (
        isinstance(value, str)
        and "\x00" not in value
        and not any("\ud800" <= character <= "\udfff" for character in value)
    )


def _is_whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _is_number(value: Any, least: float) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and least <= value <= MOST


def _is_moment(value: datetime | None) -> bool:
    return value is None or value.tzinfo is not None


def _is_uuid(value: Any) -> bool:
    try:
        return bool(uuid.UUID(value))
    except (ValueError, TypeError, AttributeError):
        return False
