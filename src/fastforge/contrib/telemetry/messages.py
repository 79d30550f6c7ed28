"""Messages: what a client sends over a socket is a trace of its own, which links to the socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
)

from ...observability.tracing import Attributes, tracer_here
from .sampling import Sample

__all__ = ["message_span"]

_RANDOM: Final = TraceFlags(TraceFlags.RANDOM_TRACE_ID)


@contextmanager
def message_span(
    tracer: Tracer, sample: Sample, name: str, attributes: Attributes
) -> Iterator[None]:
    """Record what a message of a client leads to, whether or not its socket is recorded.

    A socket is open for hours, so that what is a part of its trace is seen when it is over. A
    path that is not looked at has no span, and so no messages.

    Args:
        tracer: Begins the span.
        sample: Decides whether it is recorded.
        name: Of which there are few.
        attributes: What is known of the message.
    """
    socket = trace.get_current_span().get_span_context()
    if not socket.is_valid:
        yield
        return
    span = _begun(tracer, sample, name, attributes, socket)
    token = contexts.attach(trace.set_span_in_context(span, Context()))
    tracer_token = tracer_here.set(tracer if span.is_recording() else None)
    try:
        yield
    except BaseException as error:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        span.end()
        tracer_here.reset(tracer_token)
        contexts.detach(token)


def _begun(
    tracer: Tracer, sample: Sample, name: str, attributes: Attributes, socket: SpanContext
) -> Span:
    trace_id = sample.draw()
    if not sample.is_recorded(trace_id):
        span_id = sample.generate_span_id()
        return NonRecordingSpan(
            SpanContext(trace_id, span_id, is_remote=False, trace_flags=_RANDOM)
        )
    sample.use(trace_id)
    return tracer.start_span(
        name,
        context=Context(),
        kind=SpanKind.CONSUMER,
        links=[Link(socket)],
        attributes=attributes,
    )
