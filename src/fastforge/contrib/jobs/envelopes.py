"""Envelopes: as a row of the table holds them, and as JSON where one waits for a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..._utils import known_fields
from ...tasks.backend import Claim
from ...tasks.envelope import Envelope
from ...tasks.limits import Pace, Slots, UniqueKey
from ...tasks.outcome import AttemptError

__all__ = ["claim_of", "envelope_from_json", "envelope_of", "envelope_to_json", "errors_of"]


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
    return Envelope(
        task=row.task,
        payload=row.payload,
        queue=row.queue,
        uid=row.uid,
        headers=row.headers,
        run_at=row.run_at,
        max_attempts=row.max_attempts,
        version=row.version,
        priority=row.priority,
        expires_at=row.expires_at,
        unique=UniqueKey(key=row.unique_key) if row.unique_key is not None else None,
        slots=_slots_of(row),
        pace=_pace_of(row),
        batch=row.batch,
    )


def claim_of(row: Any) -> Claim:
    """Return the attempt that a claimed row is."""
    return Claim(
        key=row.id,
        attempt=row.attempt,
        envelope=envelope_of(row),
        errors=errors_of(row.errors),
    )


def errors_of(stored: list[dict[str, Any]] | None) -> tuple[AttemptError, ...]:
    """Return the errors that a row holds."""
    return tuple(map(AttemptError.from_json, stored)) if stored else ()


def _slots_of(row: Any) -> Slots | None:
    return None if row.slots_key is None else Slots(key=row.slots_key, limit=row.slots_limit)


def _pace_of(row: Any) -> Pace | None:
    if row.pace_key is None:
        return None
    return Pace(key=row.pace_key, limit=row.pace_limit, per_s=row.pace_per_s)
