"""The alerts of the documentation name what Prometheus finds here."""

from __future__ import annotations

import re

from fastforge.contrib.prometheus.exposition import family_name
from fastforge.observability.events import METRICS
from fastforge.observability.metrics import MetricKind
from tests.docs.markdown import DOCS, Page

_NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b(?=[\[{ ])|\bjobs_total\b")
_WORDS = {"histogram_quantile", "http_response_status_code", "http_route"}
SUFFIXES = {
    MetricKind.COUNTER: ("_total",),
    MetricKind.GAUGE: ("",),
    MetricKind.HISTOGRAM: ("_bucket", "_count", "_sum"),
}


def test_every_alert_asks_for_a_metric_that_there_is() -> None:
    (rules,) = (
        block.text for block in Page(DOCS / "metrics.md").blocks() if block.title == "alerts.yaml"
    )
    shown = {
        f"{family_name(metric)}{suffix}" for metric in METRICS for suffix in SUFFIXES[metric.kind]
    }
    expressions = [line for line in rules.splitlines() if "alert:" not in line]
    asked = set(_NAME.findall("\n".join(expressions))) - _WORDS
    assert len(asked) > 8
    assert asked <= shown
