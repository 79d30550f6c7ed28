"""Wire: what a worker and the process of an isolated job say to each other, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from ..backend import Claim
from ..envelope import Envelope
from ..outcome import AttemptError, Outcome, Verdict
from ..records import Progress

__all__ = [
    "SIZE_BYTES",
    "claim_from",
    "claim_to",
    "outcome_from",
    "outcome_to",
    "progress_from",
    "progress_to",
]

SIZE_BYTES: Final = 8
"""Each message begins with its length, in so many bytes."""


def claim_to(claim: Claim) -> dict[str, Any]:
    """Return what the process has to know of an attempt."""
    envelope = claim.envelope
    return {
        "attempt": claim.attempt,
        "task": envelope.task,
        "payload": dict(envelope.payload),
        "queue": envelope.queue,
        "uid": envelope.uid,
        "headers": dict(envelope.headers),
        "max_attempts": envelope.max_attempts,
        "batch": envelope.batch,
    }


def claim_from(value: Mapping[str, Any]) -> Claim:
    """Read what `claim_to` wrote."""
    members = dict(value)
    attempt = members.pop("attempt")
    return Claim(key=members["uid"], attempt=attempt, envelope=Envelope(**members))


def outcome_to(outcome: Outcome) -> dict[str, Any]:
    """Return how an attempt ended."""
    return {
        "verdict": outcome.verdict,
        "delay_s": outcome.delay_s,
        "error": outcome.error and outcome.error.to_json(),
        "result": outcome.result,
        "exception": outcome.exception,
    }


def outcome_from(value: Mapping[str, Any]) -> Outcome:
    """Read what `outcome_to` wrote."""
    error = value["error"]
    return Outcome(
        verdict=Verdict(value["verdict"]),
        delay_s=value["delay_s"],
        error=AttemptError.from_json(error) if error else None,
        result=value["result"],
        exception=value["exception"],
    )


def progress_to(progress: Progress) -> dict[str, Any]:
    """Return how far a job is."""
    return asdict(progress)


def progress_from(value: Mapping[str, Any]) -> Progress:
    """Read what `progress_to` wrote."""
    return Progress(**value)
