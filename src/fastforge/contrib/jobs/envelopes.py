"""Envelopes: as a row of the table holds them, and as JSON where one waits for a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, Final

from ..._utils import known_fields
from ...tasks.backend import Claim
from ...tasks.envelope import Envelope
from ...tasks.limits import Pace, Slots, UniqueKey
from ...tasks.outcome import AttemptError
from .statements.tables import ATTEMPT, ORDER

__all__ = [
    "claim_of",
    "envelope_from_json",
    "envelope_of",
    "envelope_to_json",
    "errors_of",
    "has_limits",
    "place_of",
]

_BEFORE: Final = 3
"""How many columns of ATTEMPT come before those of the envelope."""
_NAMES: Final = [column.name for column in ATTEMPT]
_told_of: Final = attrgetter(*_NAMES[_BEFORE:])
_limits_of: Final = itemgetter(_NAMES.index("slots_key"), _NAMES.index("pace_key"))

place_of: Final = itemgetter(*(_NAMES.index(column.name) for column in ORDER))
"""Gives what rows that begin with ATTEMPT are sorted by."""


def envelope_to_json(envelope: Envelope) -> dict[str, Any]:
    """Return a JSON object of an envelope."""
    plain = asdict(envelope)
    for moment in ("run_at", "expires_at"):
        if plain[moment] is not None:
            plain[moment] = plain[moment].isoformat()
    return plain


def envelope_from_json(plain: Mapping[str, Any]) -> Envelope:
    """Read what `envelope_to_json` wrote, here or in a version that has other fields."""
    values = known_fields(Envelope, plain)
    for moment in ("run_at", "expires_at"):
        if values.get(moment) is not None:
            values[moment] = datetime.fromisoformat(values[moment])
    for name, kind in (("unique", UniqueKey), ("slots", Slots), ("pace", Pace)):
        if values.get(name) is not None:
            values[name] = kind(**known_fields(kind, values[name]))
    return Envelope(**values)


def envelope_of(row: Any) -> Envelope:
    """Return the envelope that a row of the table came from.

    For how long its unique key is taken stands elsewhere: who runs a job need not know.
    """
    return _envelope(_told_of(row))


def claim_of(row: Any) -> Claim:
    """Return the attempt that a row is which begins with the columns of ATTEMPT.

    By their places: every job comes through here, and to ask a row for each by its name would
    take longer than all the rest.
    """
    key, attempt, errors = row[:_BEFORE]
    envelope = _envelope(row[_BEFORE : len(ATTEMPT)])
    return Claim(key=key, attempt=attempt, envelope=envelope, errors=errors_of(errors))


def has_limits(row: Any) -> bool:
    """Return whether a row that begins with ATTEMPT is a job that may have to wait for others."""
    return bool(_limits_of(row) != (None, None))


def errors_of(stored: list[dict[str, Any]] | None) -> tuple[AttemptError, ...]:
    """Return the errors that a row holds."""
    return tuple(map(AttemptError.from_json, stored)) if stored else ()


def _envelope(told: Sequence[Any]) -> Envelope:
    task, payload, queue, uid, headers, run_at, max_attempts, version, priority, *limits = told
    expires_at, unique_key, slots_key, slots_limit, pace_key, pace_limit, per_s, batch = limits
    return Envelope(
        task=task,
        payload=payload,
        queue=queue,
        uid=uid,
        headers=headers,
        run_at=run_at,
        max_attempts=max_attempts,
        version=version,
        priority=priority,
        expires_at=expires_at,
        unique=None if unique_key is None else UniqueKey(key=unique_key),
        slots=None if slots_key is None else Slots(key=slots_key, limit=slots_limit),
        pace=None if pace_key is None else Pace(key=pace_key, limit=pace_limit, per_s=per_s),
        batch=batch,
    )
