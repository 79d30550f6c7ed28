"""What leaves the process has no secrets, whoever wrote it; and what statements are called."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from fastforge.contrib.db.queries.traced import summary_of
from fastforge.contrib.telemetry.spans import encoded

from .collector import decoded


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("url.query", "page=2&api_key=hunter2", "page=2&api_key=***"),
        ("url.full", "https://u:hunter2@x/y?token=hunter2&a=1", "https://x/y?token=***&a=1"),
        ("http.request.header.authorization", "hunter2", "***"),
        ("note", "postgres://shop:hunter2@db/shop", "postgres://shop:***@db/shop"),
        ("note", "password=hunter2", "password=***"),
        ("plain", "as it was", "as it was"),
        ("number", 7, 7),
        ("url.full", "https://[x/?hunter2", "***"),
    ],
)
def test_a_secret_leaves_by_no_attribute(name: str, value: str, shown: str) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with provider.get_tracer("a").start_as_current_span("work") as span:
        span.set_attribute(name, value)
        span.set_status(StatusCode.ERROR, "password=hunter2")
        span.add_event("it happened", {name: value})
        span.record_exception(LookupError("password=hunter2"))
    (found,) = decoded(encoded(kept.get_finished_spans()))
    assert found.attributes[name] == shown
    assert found.events[0][1][name] == shown
    assert found.events[1][1]["exception.type"] == "LookupError"
    assert b"hunter2" not in encoded(kept.get_finished_spans())


def test_a_parameter_of_a_path_is_masked_by_its_name() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with provider.get_tracer("a").start_as_current_span("GET /reset/{token}") as span:
        span.set_attribute("url.path", "/reset/hunter2")
        span.set_attribute("http.route", "/reset/{token}")
    (found,) = decoded(encoded(kept.get_finished_spans()))
    assert found.attributes["url.path"] == "/reset/***"


@pytest.mark.parametrize(
    ("sql", "summary"),
    [
        ("SELECT a.x FROM orders AS a WHERE id = $1", "SELECT orders"),
        ("select 1", "SELECT"),
        ('INSERT INTO "Orders" (total) VALUES (?)', "INSERT Orders"),
        ("UPDATE shop.orders SET total = 1", "UPDATE shop.orders"),
        ("/*app='shop'*/ DELETE FROM orders", "DELETE orders"),
        ("-- why\nWITH a AS (SELECT 1) SELECT * FROM a", "WITH a"),
        ("PRAGMA journal_mode", "PRAGMA"),
        ("", "SQL"),
    ],
)
def test_a_statement_is_called_by_what_it_does_and_to_what(sql: str, summary: str) -> None:
    assert summary_of(sql) == summary
