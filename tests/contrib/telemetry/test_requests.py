"""What is recorded of requests, in one process."""

from __future__ import annotations

from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from tests.folder import ProjectFolder

from .collector import Collector
from .projects import write

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_RECORDED = TRACE[:-2] + "00"


def test_a_request_is_a_span_by_its_route_with_ours_below_it(
    folder: ProjectFolder, collector: Collector
) -> None:
    write(folder, collector.url)
    with TestClient(get_asgi_application(folder.load())) as client:
        answer = client.get("/orders/7?page=2&token=hunter2")
    request = collector.one("GET /orders/{order_id}")
    assert (request.kind, request.parent, request.failed) == ("server", "", False)
    assert request.attributes["http.route"] == "/orders/{order_id}"
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["url.query"] == "page=2&token=***"
    assert request.attributes["request_id"] == answer.headers["x-request-id"]
    assert collector.children(request) == ["look it up"]
    ids = answer.json()["ids"]
    assert ids == [request.trace_id, collector.one("look it up").span_id]
    assert answer.headers["traceresponse"][:-2] == f"00-{request.trace_id}-{request.span_id}-"
    assert len(collector.spans) == 2


def test_the_process_says_what_it_is(folder: ProjectFolder, collector: Collector) -> None:
    write(folder, collector.url, "attributes={'cloud.region': 'eu'}, headers={'x-key': 'k'}")
    with TestClient(get_asgi_application(folder.load())) as client:
        client.get("/ids")
    known = collector.one("GET /ids").resource
    assert known["service.name"] == "shop"
    assert known["service.version"] == "1.2.3"
    assert known["deployment.environment.name"] == "test"
    assert known["cloud.region"] == "eu"
    assert known["telemetry.sdk.name"] == "opentelemetry"
    assert len(known["service.instance.id"].split(":")) == 3
    assert collector.headers[0]["x-key"] == "k"
    assert collector.headers[0]["content-type"] == "application/x-protobuf"


def test_metrics_are_those_of_the_snapshot(folder: ProjectFolder, collector: Collector) -> None:
    write(folder, collector.url, "metrics_interval_s=3600")
    with TestClient(get_asgi_application(folder.load())) as client:
        for _ in range(3):
            client.get("/ids")
    found = {metric.name: (resource, metric) for resource, metric in collector.metrics}
    resource, duration = found["http.server.request.duration"]
    (point,) = duration.histogram.data_points
    labels = {each.key: each.value.string_value for each in point.attributes}
    assert labels["http.route"] == "/ids"
    assert point.count == 3
    assert not point.HasField("min")
    assert {each.key for each in resource.attributes} >= {"service.name", "service.instance.id"}
