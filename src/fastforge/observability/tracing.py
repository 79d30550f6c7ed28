"""Tracing: the trace that what runs here is a part of, and the spans that our own code adds to it.

Nothing here decides whether anything is traced: `fastforge.contrib.telemetry` does, or nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, Self, TypeAlias

from .context import request_headers, traceparent
from .spans import current_span_context, open_tracers, span_ids

if TYPE_CHECKING:
    from opentelemetry.trace import Span as RecordedSpan
    from opentelemetry.trace import Tracer

__all__ = [
    "Attributes",
    "Span",
    "SpanKind",
    "TraceIds",
    "is_traced",
    "open_tracers",
    "span",
    "trace_here",
    "trace_ids",
    "tracer_here",
    "valid_traceparent",
]

SpanKind: TypeAlias = Literal["internal", "client", "server", "producer", "consumer"]
"""What a span is in relation to others, as OpenTelemetry tells them apart."""
Attributes: TypeAlias = Mapping[str, str | bool | int | float]

_HEADER: Final = b"traceparent"
# Later versions may append something to these four parts.
_FORM: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})"
    r"(?P<parts>-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})"
    r"(?P<rest>-.*)?"
)
_UNUSABLE: Final = "ff"
_OURS: Final = "00"
_TRACE_ID: Final = slice(3, 35)
_SPAN_ID: Final = slice(36, 52)

tracer_here: Final[ContextVar[Tracer | None]] = ContextVar("fastforge_tracer", default=None)
"""What traces the project whose request or job runs here, while that is recorded."""


class Span(Protocol):
    """What `span` gives: a part of a trace, or what stands for one where nobody traces."""

    def is_recording(self) -> bool:
        """Return whether anything that is told to it is kept."""
        ...

    def set_attribute(self, key: str, value: Any) -> None:
        """Say something about it."""
        ...

    def add_event(self, name: str, attributes: Any = None) -> None:
        """Say that something happened at this moment."""
        ...

    def fail(self, error_type: str) -> None:
        """Mark it as failed where no exception does."""
        ...


class TraceIds(NamedTuple):
    """The ids of a trace and of a span in it, as log lines and headers have them.

    Args:
        trace_id: 32 hex digits.
        span_id: 16 hex digits: the current span where the program traces, else the one that the
            request or job came from.
    """

    trace_id: str
    span_id: str


def span(
    name: str, *, kind: SpanKind = "internal", attributes: Attributes | None = None
) -> AbstractContextManager[Span]:
    """Return a context manager: what runs inside is a part of the current trace of that name.

    ```python
    with span("price the basket", attributes={"basket.items": len(items)}) as current:
        total = price(items)
        current.set_attribute("basket.total", float(total))
    ```

    Surprises: it begins no trace. Where nothing is recorded (nobody traces, or this request is
    not in the sample) it is the same object each time, and costs a look at a variable. An
    exception that passes marks the span as failed with its type; its message is not kept.

    Args:
        name: Of which there are few: no ids in it.
        kind: What it is in relation to other spans.
        attributes: What is known of it when it begins.
    """
    tracer = _recording_tracer()
    return _NOTHING if tracer is None else _recorded(tracer, name, kind, attributes)


def is_traced() -> bool:
    """Return whether a span would be recorded here: for attributes that cost something to make."""
    return _recording_tracer() is not None


def trace_here() -> str | None:
    """Return the trace that what runs here is a part of, as the header `traceparent` has it.

    That of the current OpenTelemetry span, where the program uses OpenTelemetry; else that of the
    job that runs here; else the one that came with the request.
    """
    return _span_here() or traceparent.get() or _trace_of_request()


def trace_ids() -> TraceIds | None:
    """Return the ids of the trace that what runs here is a part of; None: of none."""
    current = span_ids()
    if current is not None:
        return TraceIds(*current)
    header = traceparent.get() or _trace_of_request()
    return None if header is None else TraceIds(header[_TRACE_ID], header[_SPAN_ID])


def valid_traceparent(text: str) -> str | None:
    """Return a header that somebody sent as we pass it on; None for one that means nothing.

    >>> valid_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or found["version"] == _UNUSABLE:
        return None
    if found["version"] == _OURS and found["rest"]:
        return None
    return f"{_OURS}{found['parts']}"


class _Nothing:
    """Stands for a span where nobody traces."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None: ...

    def is_recording(self) -> bool:
        return False

    def set_attribute(self, key: str, value: Any) -> None: ...

    def add_event(self, name: str, attributes: Any = None) -> None: ...

    def fail(self, error_type: str) -> None: ...


_NOTHING: Final = _Nothing()


class _Recorded:
    """A span of OpenTelemetry's."""

    __slots__ = ("_recorded",)

    def __init__(self, recorded: RecordedSpan) -> None:
        self._recorded = recorded

    def is_recording(self) -> bool:
        return self._recorded.is_recording()

    def set_attribute(self, key: str, value: Any) -> None:
        self._recorded.set_attribute(key, value)

    def add_event(self, name: str, attributes: Any = None) -> None:
        self._recorded.add_event(name, attributes)

    def fail(self, error_type: str) -> None:
        from opentelemetry.trace import StatusCode

        self._recorded.set_attribute("error.type", error_type)
        self._recorded.set_status(StatusCode.ERROR)


def _recording_tracer() -> Tracer | None:
    tracer = tracer_here.get()
    if tracer is None and not open_tracers:
        return None
    from opentelemetry.trace import get_current_span

    # One that a library has begun by OpenTelemetry's own interface counts as well.
    return (tracer or open_tracers[-1]) if get_current_span().is_recording() else None


@contextmanager
def _recorded(
    tracer: Tracer, name: str, kind: SpanKind, attributes: Attributes | None
) -> Iterator[Span]:
    from opentelemetry import trace

    with tracer.start_as_current_span(
        name,
        kind=trace.SpanKind[kind.upper()],
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as recorded:
        current = _Recorded(recorded)
        try:
            yield current
        except BaseException as error:
            current.fail(type(error).__qualname__)
            raise


def _span_here() -> str | None:
    """Return the current span's, if somebody has imported OpenTelemetry."""
    span = current_span_context()
    if span is None:
        return None
    return f"{_OURS}-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


def _trace_of_request() -> str | None:
    found = [value for name, value in request_headers.get() if name == _HEADER]
    if len(found) != 1:  # two of them mean none
        return None
    return valid_traceparent(found[0].decode("latin-1"))
