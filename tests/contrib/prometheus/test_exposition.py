"""What Prometheus reads: its names, its text, and OpenMetrics where it asks for that."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as families

from fastforge.contrib.prometheus.exposition import exposed, family_name
from fastforge.observability.events import (
    EVENT_LOOP_LAG,
    HTTP_ACTIVE,
    HTTP_DURATION,
    HTTP_REFUSED,
    METRICS,
    PROCESS_CPU,
    PROCESS_MEMORY,
    PROCESS_START,
    Metric,
)
from fastforge.observability.metrics import Histogram, MetricKind, Sample

OPEN = "application/openmetrics-text; version=1.0.0"


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (HTTP_DURATION, "http_server_request_duration_seconds"),
        (HTTP_ACTIVE, "http_server_active_requests"),
        (PROCESS_CPU, "process_cpu_time_seconds"),
        (PROCESS_MEMORY, "process_memory_usage_bytes"),
        (PROCESS_START, "process_start_time_seconds"),
    ],
)
def test_a_name_has_its_unit_at_the_end(metric: Metric, name: str) -> None:
    assert family_name(metric) == name


def test_the_text_has_types_labels_and_cumulated_buckets() -> None:
    counts = (2, *(0 for _ in EVENT_LOOP_LAG.bounds[1:]), 1)
    page, media_type = exposed(
        [
            Sample(metric=HTTP_REFUSED, labels=('4"\n8',), value=3),
            Sample(metric=HTTP_REFUSED, labels=("431",), value=1),
            Sample(metric=HTTP_ACTIVE, value=2),
            Sample(
                metric=EVENT_LOOP_LAG,
                value=Histogram(bounds=EVENT_LOOP_LAG.bounds, counts=counts, sum=12.5),
            ),
        ],
        "",
    )
    assert media_type.startswith("text/plain")
    found = {family.name: family for family in families(page.decode())}
    assert {
        (s.labels["http_response_status_code"], s.value)
        for s in found["http_server_refusals"].samples
    } == {('4"\n8', 3), ("431", 1)}
    assert found["http_server_active_requests"].type == "gauge"
    lag = found["event_loop_lag_seconds"]
    buckets = [s.value for s in lag.samples if s.name.endswith("_bucket")]
    assert buckets == [2] * len(EVENT_LOOP_LAG.bounds) + [3]
    assert {s.name: s.value for s in lag.samples if not s.labels} == {
        "event_loop_lag_seconds_count": 3,
        "event_loop_lag_seconds_sum": 12.5,
    }


def test_every_metric_of_ours_can_be_read_in_both_formats() -> None:
    samples = [
        Sample(
            metric=metric,
            labels=tuple("x" for _ in metric.labels),
            value=Histogram(bounds=metric.bounds, counts=(0,) * (len(metric.bounds) + 1), sum=0)
            if metric.kind is MetricKind.HISTOGRAM
            else 1.0,
        )
        for metric in METRICS
    ]
    plain, _ = exposed(samples, "text/plain")
    assert len(list(families(plain.decode()))) == len(METRICS)
    text, media_type = exposed(samples, OPEN)
    assert media_type.startswith("application/openmetrics-text")
    assert len(list(open_families(text.decode()))) == len(METRICS)
