"""The ids that are known where a line is written."""

from __future__ import annotations

from contextvars import Context

from opentelemetry import trace

from fastforge.observability.context import (
    RunningJob,
    channel,
    connection_id,
    context_fields,
    request_id,
    running_job,
    user_id,
)

SPAN = trace.NonRecordingSpan(trace.SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=False))


def test_where_nothing_runs_there_are_no_ids() -> None:
    assert Context().run(context_fields) == {}


def test_each_id_that_exists_is_there_in_a_fixed_order() -> None:
    def everything() -> dict[str, object]:
        connection_id.set("c1")
        channel.set("orders")
        running_job.set(RunningJob("shop.mail", "j1", 2))
        user_id.set("7")
        request_id.set("r1")
        with trace.use_span(SPAN):
            return context_fields()

    assert list(Context().run(everything).items()) == [
        ("request_id", "r1"),
        ("trace_id", "0" * 29 + "abc"),
        ("span_id", "0" * 13 + "def"),
        ("user_id", "7"),
        ("job_id", "j1"),
        ("task", "shop.mail"),
        ("attempt", 2),
        ("channel", "orders"),
        ("connection_id", "c1"),
    ]
