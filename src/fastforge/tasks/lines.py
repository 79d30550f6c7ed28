"""Lines: what a worker says of each attempt at a job when it has ended, in one line."""

from __future__ import annotations

import logging
from typing import Any, Final

from ..conf import Settings
from ..observability.logging.current import current
from ..observability.settings import Logging
from .backend import Claim, Settlement
from .outcome import Outcome, Verdict

__all__ = ["JobLines"]

LOGGER: Final = "fastforge.jobs"
_LEVELS: Final = {Verdict.RETRY: logging.WARNING, Verdict.DEAD: logging.ERROR}
_NAMES: Final = {logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}
_ENDS: Final = {
    Verdict.SUCCEEDED: "is done",
    Verdict.CANCELLED: "is cancelled",
    Verdict.INTERRUPTED: "is handed back",
}

logger = logging.getLogger(LOGGER)


class JobLines:
    """Writes the lines of one worker: an object `job` in JSON, a sentence for whoever develops.

    Where nobody has configured the lines of the process, as in tests, `logging` has the sentence;
    attempts that went well are then told at the level `debug`.

    Args:
        settings: The project's.
        worker_id: The worker.
    """

    def __init__(self, settings: Settings, worker_id: str) -> None:
        self._settings = settings
        self._worker_id = worker_id

    def write(
        self,
        claim: Claim,
        outcome: Outcome,
        *,
        duration_s: float,
        late_s: float | None = None,
        worker_id: str | None = None,
    ) -> None:
        """Write the line of one attempt.

        Args:
            claim: The attempt.
            outcome: How it ended.
            duration_s: How long it ran, in seconds.
            late_s: How long the job had been due when it began, in seconds, if that is known.
            worker_id: Who ran it, if that is another one, which is gone.
        """
        if outcome.verdict is Verdict.PUT_BACK:  # which is told once for each reason
            return
        level = _LEVELS.get(outcome.verdict, logging.INFO)
        text = _text(claim, outcome, duration_s, worker_id)
        stream = current.stream
        if stream is None:
            is_quiet = level == logging.INFO
            logger.log(logging.DEBUG if is_quiet else level, "%s%s", text, _trace(outcome))
            return
        if level == logging.INFO and not self._settings.section(Logging).access_line:
            return
        fields = self._fields(claim, outcome, duration_s, late_s, worker_id)
        if stream.is_text:
            fields = {name: fields[name] for name in fields if name == "request_id"}
        stream.write(
            _NAMES[level],
            text if stream.is_text else "job",
            LOGGER,
            fields,
            exception=_trace(outcome).strip() if stream.is_text else outcome.exception,
        )

    def vanished(self, settlement: Settlement) -> None:
        """Write the line of an attempt that ended with its worker: nobody else is left to do so."""
        self.write(
            settlement.claim,
            settlement.outcome,
            duration_s=settlement.duration_s,
            worker_id=settlement.worker_id,
        )

    def _fields(
        self,
        claim: Claim,
        outcome: Outcome,
        duration_s: float,
        late_s: float | None,
        worker_id: str | None,
    ) -> dict[str, Any]:
        envelope, error = claim.envelope, outcome.error
        trace_id, span_id = outcome.span or (None, None)
        fields = {
            "request_id": envelope.request_id,
            "trace_id": trace_id,
            "span_id": span_id,
            "job_id": envelope.uid,
            "task": envelope.task,
            "attempt": claim.attempt,
            "max_attempts": envelope.max_attempts,
            "queue": envelope.queue,
            "verdict": outcome.verdict.value,
            "duration_ms": round(duration_s * 1000, 3),
            "queue_ms": None if late_s is None else round(max(late_s, 0) * 1000, 3),
            "retry_in_s": round(outcome.delay_s, 3) if outcome.verdict is Verdict.RETRY else None,
            "worker": worker_id or self._worker_id,
            "failure": error and error.type,
            "message": error and error.message,
        }
        return {name: value for name, value in fields.items() if value is not None}


def _trace(outcome: Outcome) -> str:
    """Return the traceback of a job that is dead; of others the sentence says enough."""
    if outcome.verdict is not Verdict.DEAD or outcome.error is None or not outcome.error.trace:
        return ""
    return f"\n{outcome.error.trace.rstrip()}"


def _text(claim: Claim, outcome: Outcome, duration_s: float, worker_id: str | None) -> str:
    envelope = claim.envelope
    job = f"job {envelope.uid} of {envelope.task}"
    attempt = f"attempt {claim.attempt} of {envelope.max_attempts}"
    if worker_id is not None:
        now = "dead" if outcome.verdict is Verdict.DEAD else "due again"
        return f"{job} lost its worker {worker_id} in {attempt}; it is {now}"
    if outcome.verdict is Verdict.DEAD:
        return f"{job} is dead after {attempt}: {outcome.error}"
    if outcome.verdict is Verdict.RETRY:
        return f"{job} failed, {attempt}, next in {outcome.delay_s:.1f} s: {outcome.error}"
    return f"{job} {_ENDS[outcome.verdict]}, {attempt}, {duration_s * 1000:.1f} ms"
