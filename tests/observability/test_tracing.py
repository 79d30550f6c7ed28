"""Which trace what runs here is a part of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from fastforge.observability.context import request_headers, traceparent
from fastforge.observability.tracing import trace_here, valid_traceparent

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-11111111111111111111111111111111-2222222222222222-00"


@pytest.fixture(autouse=True)
def nothing_runs() -> Iterator[None]:
    headers, parent = request_headers.set(()), traceparent.set(None)
    yield
    request_headers.reset(headers)
    traceparent.reset(parent)


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
