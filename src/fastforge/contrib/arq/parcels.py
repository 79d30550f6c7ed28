"""Parcels: jobs that are to be kept in Redis, as the script is given them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...tasks.envelope import Envelope
from ...tasks.outcome import AttemptError
from .moments import microseconds
from .wire import write_job

__all__ = ["Parcel", "parcel_args"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A job to be kept in Redis.

    Args:
        envelope: The job.
        errors: What ended attempts before, when it begins again.
        ended_at: When it had ended, where somebody lets it begin again.
        is_cancelled: Somebody wants it to end, whether it has begun by now or not.
        enqueued_at: When it was enqueued; None: now.
    """

    envelope: Envelope
    errors: tuple[AttemptError, ...] = ()
    ended_at: datetime | None = None
    is_cancelled: bool = False
    enqueued_at: datetime | None = None


def parcel_args(parcel: Parcel, now: datetime) -> tuple[Any, ...]:
    """Return what the script takes for one job."""
    envelope = parcel.envelope
    slots, pace, unique = envelope.slots, envelope.pace, envelope.unique
    errors = [json.dumps(error.to_json()) for error in parcel.errors]
    return (
        envelope.uid,
        write_job(envelope, now),
        envelope.queue,
        envelope.priority,
        "" if envelope.run_at is None else microseconds(envelope.run_at),
        int(envelope.delay_s * 1_000_000),
        slots.key if slots else "",
        slots.limit if slots else "",
        pace.key if pace else "",
        int(pace.per_s / pace.limit * 1_000_000) if pace else "",
        envelope.batch or "",
        1 if unique and unique.for_s is None else "",
        json.dumps(errors) if errors else "",
        "" if parcel.ended_at is None else microseconds(parcel.ended_at),
        1 if parcel.is_cancelled else "",
    )
