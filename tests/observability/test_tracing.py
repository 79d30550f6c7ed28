"""Which trace what runs here is a part of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer

from fastforge.observability.context import request_headers, traceparent
from fastforge.observability.tracing import (
    is_traced,
    open_tracers,
    span,
    trace_here,
    trace_ids,
    tracer_here,
    valid_traceparent,
)

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-11111111111111111111111111111111-2222222222222222-00"


@pytest.fixture(autouse=True)
def nothing_runs() -> Iterator[None]:
    headers, parent = request_headers.set(()), traceparent.set(None)
    yield
    request_headers.reset(headers)
    traceparent.reset(parent)


def recorder(kept: InMemorySpanExporter | None = None) -> Tracer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept or InMemorySpanExporter()))
    return provider.get_tracer("tests")


@pytest.fixture
def traced() -> Iterator[InMemorySpanExporter]:
    """Trace in this process; what was recorded."""
    kept = InMemorySpanExporter()
    open_tracers.append(recorder(kept))
    yield kept
    open_tracers.pop()


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        (TRACE, TRACE),
        (f" {TRACE}\t", TRACE),
        (TRACE.replace("00-", "cc-", 1) + "-what-comes-later", TRACE),
        (TRACE.replace("00-", "cc-", 1), TRACE),
        (TRACE + "-more", None),
        (TRACE.replace("00-", "ff-", 1), None),
        (TRACE.upper(), None),
        (TRACE[:-1], None),
        (TRACE.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32), None),
        (TRACE.replace("b7ad6b7169203331", "0" * 16), None),
        ("", None),
        (f"{TRACE}\n", TRACE),
        ("00-ä", None),
    ],
)
def test_a_header_is_taken_when_it_means_something(sent: str, taken: str | None) -> None:
    assert valid_traceparent(sent) == taken


def test_where_nothing_is_traced_there_is_no_trace() -> None:
    assert trace_here() is None


def test_a_request_brings_its_own() -> None:
    request_headers.set([(b"host", b"shop"), (b"traceparent", TRACE.encode())])
    assert trace_here() == TRACE


@pytest.mark.parametrize("values", [[b"00-\xff"], [b"nonsense"], [TRACE.encode()] * 2])
def test_a_request_whose_header_means_nothing_has_none(values: list[bytes]) -> None:
    request_headers.set([(b"traceparent", value) for value in values])
    assert trace_here() is None


def test_the_job_that_runs_goes_before_the_request_around_it() -> None:
    request_headers.set([(b"traceparent", TRACE.encode())])
    traceparent.set(OTHER)
    assert trace_here() == OTHER


def test_the_current_span_goes_before_everything() -> None:
    traceparent.set(OTHER)
    context = SpanContext(
        trace_id=int(TRACE[3:35], 16),
        span_id=int(TRACE[36:52], 16),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    with trace.use_span(NonRecordingSpan(context)):
        assert trace_here() == TRACE
    assert trace_here() == OTHER


def test_opentelemetry_is_not_imported_for_that() -> None:
    code = (
        "import sys; from fastforge.observability.tracing import trace_here; trace_here();"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_ids_are_those_of_the_span_else_of_the_job_else_of_the_request() -> None:
    assert trace_ids() is None
    request_headers.set([(b"traceparent", TRACE.encode())])
    assert trace_ids() == (TRACE[3:35], TRACE[36:52])
    traceparent.set(OTHER)
    assert trace_ids() == ("1" * 32, "2" * 16)
    with recorder().start_as_current_span("root") as root:
        ids = trace_ids()
        assert ids is not None
        assert int(ids.trace_id, 16) == root.get_span_context().trace_id
        assert int(ids.span_id, 16) == root.get_span_context().span_id


def test_a_span_where_nobody_traces_is_the_same_object_and_keeps_nothing() -> None:
    with span("a") as first, span("b", kind="client", attributes={"n": 1}) as second:
        assert first is second
        assert not first.is_recording()
        first.set_attribute("a", 1)
        first.add_event("a")
    assert not is_traced()


def test_a_span_begins_no_trace_of_its_own(traced: InMemorySpanExporter) -> None:
    with span("alone") as current:
        assert not current.is_recording()
    assert traced.get_finished_spans() == ()


def test_a_span_is_a_child_of_the_current_one(traced: InMemorySpanExporter) -> None:
    with open_tracers[-1].start_as_current_span("root"):
        assert is_traced()
        with span("inner", kind="client", attributes={"n": 1}) as current:
            current.set_attribute("m", 2)
    inner, root = traced.get_finished_spans()
    assert inner.parent is not None
    assert inner.parent.span_id == root.get_span_context().span_id
    assert dict(inner.attributes or {}) == {"n": 1, "m": 2}
    assert inner.kind is trace.SpanKind.CLIENT


def test_an_exception_marks_the_span_by_its_type_and_is_not_repeated_in_it(
    traced: InMemorySpanExporter,
) -> None:
    root = open_tracers[-1].start_as_current_span("root")
    with pytest.raises(LookupError), root, span("inner"):
        raise LookupError("hunter2")
    inner = traced.get_finished_spans()[0]
    assert dict(inner.attributes or {}) == {"error.type": "LookupError"}
    assert inner.status.status_code is trace.StatusCode.ERROR
    assert not inner.events
    assert "hunter2" not in inner.to_json()


def test_a_span_goes_to_the_project_that_runs_here(traced: InMemorySpanExporter) -> None:
    kept = InMemorySpanExporter()
    token = tracer_here.set(recorder(kept))
    try:
        with open_tracers[-1].start_as_current_span("root"), span("inner"):
            pass
    finally:
        tracer_here.reset(token)
    assert [found.name for found in kept.get_finished_spans()] == ["inner"]
    assert [found.name for found in traced.get_finished_spans()] == ["root"]
