"""Each event and each metric has a name, a unit and an entry in the reference."""

from __future__ import annotations

import re

import pytest

from fastforge.observability import events
from fastforge.observability.events import EVENTS, METRICS, Event, Metric, MetricKind
from tests.docs.markdown import DOCS, Page

PAGE = Page(DOCS / "reference" / "events.md")


def declared(kind: type) -> dict[str, Event | Metric]:
    return {name: value for name, value in vars(events).items() if isinstance(value, kind)}


def rows(heading: str) -> list[list[str]]:
    return [[cell.replace("`", "") for cell in row] for row in PAGE.heading(heading).rows()]


def test_every_event_and_metric_is_in_its_list() -> None:
    assert list(declared(Event).values()) == list(EVENTS)
    assert sorted(declared(Metric).values(), key=METRICS.index) == list(METRICS)
    assert {*declared(Event), *declared(Metric)} <= {*events.__all__}


def test_the_reference_has_every_event_and_no_other() -> None:
    assert [row[:2] for row in rows("Events")] == [
        [name, event.name] for name, event in declared(Event).items()
    ]


def test_the_reference_has_every_metric_as_it_is() -> None:
    names = {metric: name for name, metric in declared(Metric).items()}
    assert [row[:5] for row in rows("Metrics")] == [
        [names[metric], metric.name, metric.kind, metric.unit, ", ".join(metric.labels)]
        for metric in METRICS
    ]


def test_names_are_unique_and_have_no_unit_in_them() -> None:
    names = [each.name for each in (*EVENTS, *METRICS)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", name) for name in names)
    assert not any(name.endswith(("_s", "_seconds", "_total")) for name in names)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_histogram_alone_has_buckets_and_they_grow(metric: Metric) -> None:
    assert bool(metric.bounds) is (metric.kind is MetricKind.HISTOGRAM)
    assert list(metric.bounds) == sorted(set(metric.bounds))
