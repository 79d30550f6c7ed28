"""Values are recorded once, kept wherever an exporter wants them, and bounded in number."""

from __future__ import annotations

import gc
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from fastforge.observability.events import (
    EVENT_LOOP_LAG,
    GC_PAUSE,
    HTTP_DURATION,
    HTTP_REFUSED,
    READY,
    Metric,
    MetricKind,
)
from fastforge.observability.metrics import (
    Histogram,
    Meter,
    Sample,
    exporting,
    is_exported,
    meter_of,
    process_meter,
    record_loop_block,
    record_loop_lag,
)
from fastforge.observability.metrics.requests import OTHER_METHOD, UNMATCHED, RequestMeter

FEW = Metric(
    name="few", kind=MetricKind.COUNTER, unit="1", labels=("name", "other"), help="Few.", limit=3
)


def told(meter: Meter) -> dict[tuple[str, tuple[str, ...]], Any]:
    return {(each.metric.name, each.labels): each.value for each in meter.samples()}


def test_counters_add_gauges_are_set_and_histograms_count_by_size() -> None:
    meter = Meter()
    meter.add(HTTP_REFUSED, "408")
    meter.add(HTTP_REFUSED, "408", amount=2)
    meter.set(READY, value=1)
    meter.set(READY, value=0)
    for lag_s in (0.0005, 0.001, 0.3, 100):
        meter.record(EVENT_LOOP_LAG, value=lag_s)
    histogram = told(meter)["event_loop.lag", ()]
    assert told(meter)["http.server.refusals", ("408",)] == 3
    assert told(meter)["process.ready", ()] == 0
    assert isinstance(histogram, Histogram)
    assert histogram.counts == (2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
    assert histogram.count == 4
    assert histogram.sum == pytest.approx(100.3015)


def test_labels_beyond_the_limit_are_counted_as_one_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    meter = Meter()
    for number in range(100):
        meter.add(FEW, str(number), "x")
    meter.add(FEW, "0", "x")
    assert told(meter) == {
        ("few", ("0", "x")): 2,
        ("few", ("1", "x")): 1,
        ("few", ("2", "x")): 1,
        ("few", ("__overflow__", "__overflow__")): 97,
    }
    assert [record.message for record in caplog.records] == [
        "the metric few has more than 3 sets of labels: further ones are counted as __overflow__"
    ]


def test_values_move_to_where_an_exporter_keeps_them_and_back() -> None:
    meter, shelf = Meter(), dict[tuple[str, tuple[str, ...]], list[float]]()

    def place(metric: Metric, labels: tuple[str, ...], count: int) -> list[float]:
        return shelf.setdefault((metric.name, labels), [0.0] * count)

    meter.add(HTTP_REFUSED, "400")
    meter.keep_in(place)
    meter.add(HTTP_REFUSED, "400")
    meter.record(EVENT_LOOP_LAG, value=0.002)
    assert shelf["http.server.refusals", ("400",)] == [2]
    assert shelf["event_loop.lag", ()][1] == 1
    meter.keep_in(None)
    meter.add(HTTP_REFUSED, "400")
    assert shelf["http.server.refusals", ("400",)] == [2]
    assert told(meter)["http.server.refusals", ("400",)] == 3


def test_threads_that_record_side_by_side_lose_nothing() -> None:
    meter = Meter()

    def work() -> None:
        for number in range(2000):
            meter.add(FEW, str(number % 2), "x")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(told(meter).values()) == 8000


def test_paths_and_methods_that_anybody_may_invent_add_no_series() -> None:
    meter = Meter()
    requests = RequestMeter(meter)
    for number in range(1000):
        requests.record("GET", None, 404, 0.001, 10)
        requests.record(f"M{number}", None, 405, 0.001, 10)
    requests.record("GET", "/orders/{order_id}", 200, 0.001, 10)
    requests.record("GET", "/orders/{order_id}", None, 0.001, 10)
    assert {
        labels: value.count
        for (name, labels), value in told(meter).items()
        if name == HTTP_DURATION.name
    } == {
        ("GET", UNMATCHED, "404"): 1000,
        (OTHER_METHOD, UNMATCHED, "405"): 1000,
        ("GET", "/orders/{order_id}", "200"): 1,
        ("GET", "/orders/{order_id}", ""): 1,
    }


def test_routes_without_an_end_are_counted_as_one_and_nothing_is_kept_of_them() -> None:
    meter = Meter()
    requests = RequestMeter(meter)
    for number in range(HTTP_DURATION.limit + 100):
        requests.record("GET", f"/mounted/{number}/{{path}}", 200, 0.001, 10)
    assert told(meter)[HTTP_DURATION.name, ("__overflow__",) * 3].count == 100
    assert len(requests._series) == HTTP_DURATION.limit


def test_the_watchdog_has_functions_of_its_own() -> None:
    before = told(process_meter)
    lags = before.get(("event_loop.lag", ()), Histogram(bounds=(), counts=(), sum=0)).count
    blocks = before.get(("event_loop.blocks", ("gc",)), 0)
    record_loop_lag(-0.1)
    record_loop_block("gc")
    assert told(process_meter)["event_loop.lag", ()].count == lags + 1
    assert told(process_meter)["event_loop.blocks", ("gc",)] == blocks + 1


def test_pauses_of_the_collector_are_measured_while_somebody_exports() -> None:
    registry = SimpleNamespace(values=lambda kind: ())
    container = SimpleNamespace(registry=registry)
    assert not is_exported(container)
    with exporting(container), exporting(container):
        assert is_exported(container)
        gc.collect()
        pauses = told(process_meter)[GC_PAUSE.name, ("2",)].count
        gc.collect()
        assert told(process_meter)[GC_PAUSE.name, ("2",)].count == pauses + 1
    assert not is_exported(container)
    after = told(process_meter)[GC_PAUSE.name, ("2",)].count
    gc.collect()
    assert told(process_meter)[GC_PAUSE.name, ("2",)].count == after


def test_each_project_has_a_meter_of_its_own_as_long_as_it_runs() -> None:
    class Container:
        pass

    first, second = Container(), Container()
    assert meter_of(first) is meter_of(first)
    assert meter_of(first) is not meter_of(second)
    assert Sample(metric=READY, value=1).labels == ()
