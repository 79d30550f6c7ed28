"""Jobs: each attempt is a span; the first is a part of its enqueuer's trace, others link to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, TraceFlags, Tracer

from ...observability.redaction import redacted_text
from ...observability.tracers import EndOfAttempt, JobAttempt
from ...observability.tracing import tracer_here, valid_traceparent
from .sampling import Sample

__all__ = ["attempt_span"]

_WELL: Final = frozenset({"succeeded", "put_back", "interrupted"})


@contextmanager
def attempt_span(tracer: Tracer, sample: Sample, attempt: JobAttempt) -> Iterator[EndOfAttempt]:
    """Record one attempt at a job; what runs inside is a part of it.

    Args:
        tracer: Begins the span.
        sample: Decides about attempts that are no part of a trace.
        attempt: The attempt.
    """
    span = _begun(tracer, sample, attempt)
    token = contexts.attach(trace.set_span_in_context(span, Context()))
    tracer_token = tracer_here.set(tracer if span.is_recording() else None)
    try:
        yield _telling(span)
    except BaseException as error:
        # What a job raises is in its outcome: this is the worker, which ends it.
        span.set_attribute("fastforge.outcome", "cancelled")
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        span.end()
        tracer_here.reset(tracer_token)
        contexts.detach(token)


def _begun(tracer: Tracer, sample: Sample, attempt: JobAttempt) -> Span:
    if attempt.isolated_in is not None:
        return tracer.start_span(
            f"run {attempt.task} in a process", context=_below(_parsed(attempt.isolated_in))
        )
    enqueued = None if attempt.traceparent is None else _parsed(attempt.traceparent)
    links: list[Link] = []
    if attempt.attempt == 1 and enqueued is not None:
        context = _below(enqueued)
    else:
        context = Context()
        if enqueued is not None:
            links.append(Link(enqueued))
            # Whoever looks at the trace that enqueued it wants to see how it went on.
            is_recorded = enqueued.trace_flags.sampled
            sample.use(sample.draw_recorded() if is_recorded else sample.draw())
    return tracer.start_span(
        f"run {attempt.task}",
        context=context,
        kind=SpanKind.CONSUMER,
        links=links,
        attributes={
            "messaging.system": "fastforge",
            "messaging.operation.name": "run",
            "messaging.operation.type": "process",
            "messaging.destination.name": attempt.queue,
            "messaging.message.id": attempt.uid,
            "fastforge.task": attempt.task,
            "fastforge.attempt": attempt.attempt,
        },
    )


def _telling(span: Span) -> EndOfAttempt:
    def ended(verdict: str, error_type: str, message: str) -> None:
        span.set_attribute("fastforge.outcome", str(verdict))
        if verdict in _WELL:
            return
        span.set_status(StatusCode.ERROR)
        if error_type:
            span.set_attribute("error.type", error_type)
            told: dict[str, Any] = {
                "exception.type": error_type,
                "exception.message": redacted_text(message),
            }
            span.add_event("exception", told)

    return ended


def _below(parent: SpanContext | None) -> Context:
    if parent is None:
        return Context()
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())


def _parsed(traceparent: str) -> SpanContext | None:
    header = valid_traceparent(traceparent)
    if header is None:
        return None
    return SpanContext(
        int(header[3:35], 16),
        int(header[36:52], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(header[53:55], 16)),
    )
