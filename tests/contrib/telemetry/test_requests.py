"""What is recorded of requests, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry import trace

from fastforge.asgi import get_asgi_application
from tests.folder import ProjectFolder

from .collector import Collector
from .projects import write

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_RECORDED = TRACE[:-2] + "00"


@contextmanager
def client_of(folder: ProjectFolder, app: FastAPI | None = None) -> Iterator[TestClient]:
    made = get_asgi_application(folder.load(), app=app)
    with TestClient(made, raise_server_exceptions=False) as client:
        yield client


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


def test_a_failure_marks_the_span_by_its_type_alone(
    folder: ProjectFolder, collector: Collector
) -> None:
    write(folder, collector.url)
    with client_of(folder) as client:
        assert client.get("/fails").status_code == 500
        assert client.get("/refuses").status_code == 409
    fails, refuses = collector.one("GET /fails"), collector.one("GET /refuses")
    assert fails.failed
    assert fails.attributes["error.type"] == "LookupError"
    assert not refuses.failed
    assert b"hunter2" not in b"".join(collector.bodies)


def test_an_unknown_path_names_no_span(folder: ProjectFolder, collector: Collector) -> None:
    write(folder, collector.url)
    with client_of(folder) as client:
        for number in range(20):
            client.get(f"/unknown/{number}")
    assert {span.name for span in collector.spans} == {"GET"}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz", "/ids", "/orders/7"])
def test_probes_and_what_is_excluded_are_not_looked_at(
    folder: ProjectFolder, collector: Collector, path: str
) -> None:
    write(folder, collector.url, "exclude=['/ids', '/orders']")
    with client_of(folder) as client:
        answer = client.get(path, headers={"traceparent": TRACE})
        assert answer.status_code == 200
        assert "traceresponse" not in answer.headers
        client.get("/idsx")
    assert [span.name for span in collector.spans] == ["GET"]


def test_whoever_calls_with_a_trace_has_decided(
    folder: ProjectFolder, collector: Collector
) -> None:
    write(folder, collector.url, "sample_ratio=0")
    with client_of(folder) as client:
        client.get("/orders/1", headers={"traceparent": TRACE})
        client.get("/ids", headers={"traceparent": NOT_RECORDED})
        client.get("/ids")
    span = collector.one("GET /orders/{order_id}")
    assert (span.trace_id, span.parent) == (TRACE[3:35], TRACE[36:52])
    assert len(collector.spans) == 2


def test_what_is_not_recorded_has_ids_all_the_same(
    folder: ProjectFolder, collector: Collector
) -> None:
    write(folder, collector.url, "sample_ratio=0")
    with client_of(folder) as client:
        own, other = (client.get("/ids").json()["ids"] for _ in range(2))
        (trace_id, span_id) = client.get("/ids", headers={"traceparent": TRACE[:-2] + "00"}).json()[
            "ids"
        ]
    assert own[0] != other[0]
    assert trace_id == TRACE[3:35]
    assert span_id != TRACE[36:52]
    assert collector.spans == []


def test_a_twentieth_is_recorded_in_production_and_all_in_development() -> None:
    from fastforge.contrib.telemetry.sampling import Sample

    sample = Sample(0.05)
    drawn = [sample.draw() for _ in range(20_000)]
    assert 800 < sum(map(sample.is_recorded, drawn)) < 1200
    assert all(sample.is_recorded(sample.draw_recorded()) for _ in range(200))
    assert all(Sample(1).is_recorded(each) for each in drawn)
    assert not any(Sample(0).is_recorded(each) for each in drawn)
    # The SDK's own sampler, which decides about spans that libraries begin, says the same.
    for each in drawn[:500]:
        decided = sample.sampler.should_sample(None, each, "a").decision.is_sampled()
        assert decided == sample.is_recorded(each)


def test_a_stream_is_over_with_its_last_byte(folder: ProjectFolder, collector: Collector) -> None:
    write(folder, collector.url)
    with client_of(folder) as client:
        assert client.get("/stream").text == "xxx"
    span = collector.one("GET /stream")
    assert collector.children(span) == ["part 0", "part 1", "part 2"]
    assert span.ended >= collector.one("part 2").ended


async def test_a_request_that_is_cancelled_is_marked(
    folder: ProjectFolder, collector: Collector
) -> None:
    write(folder, collector.url)
    app = get_asgi_application(folder.load())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://testserver"
        ) as client,
    ):
        waiting = asyncio.create_task(client.get("/waits"))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait({waiting})
    span = collector.one("GET /waits")
    assert span.failed
    assert span.attributes["error.type"].endswith("CancelledError")
    assert "request_id" in span.attributes


def test_a_socket_is_one_span_with_ours_below_it(
    folder: ProjectFolder, collector: Collector
) -> None:
    write(folder, collector.url)
    with client_of(folder) as client, client.websocket_connect("/socket") as socket:
        socket.send_text("go")
        ids = socket.receive_json()["ids"]
    span = collector.one("WS /socket")
    assert ids == [span.trace_id, collector.one("answer").span_id]
    assert collector.children(span) == ["answer"]


def test_an_application_of_the_users_own_is_traced_and_its_exclusions_hold(
    folder: ProjectFolder, collector: Collector
) -> None:
    write(folder, collector.url)
    app = FastAPI(telemetry={"exclude": lambda scope: scope["path"] == "/quiet"})

    @app.get("/quiet")
    @app.get("/mine/{number}")
    async def mine() -> None: ...

    with client_of(folder, app) as client:
        client.get("/quiet")
        client.get("/mine/7")
        client.get("/ids")
    assert sorted(span.name for span in collector.spans) == ["GET /ids", "GET /mine/{number}"]


def test_a_mounted_application_adds_no_span(folder: ProjectFolder, collector: Collector) -> None:
    write(folder, collector.url, "sample_ratio=1")
    app, inner = FastAPI(), FastAPI()
    app.mount("/inner", inner)

    @inner.get("/{number}")
    async def mine() -> None: ...

    with client_of(folder, app) as client:
        client.get("/inner/7")
    assert [span.name for span in collector.spans] == ["GET /inner/{number}"]


def test_operation_spans_come_when_they_are_asked_for(
    folder: ProjectFolder, collector: Collector
) -> None:
    write(folder, collector.url, "operation_spans=True")
    with client_of(folder) as client:
        client.get("/ids")
    request = collector.one("GET /ids")
    assert "fastapi.endpoint" in collector.children(request)


def test_a_library_that_knows_opentelemetry_alone_lands_in_the_same_trace(
    folder: ProjectFolder, collector: Collector
) -> None:
    write(folder, collector.url)
    app = FastAPI()
    tracer = trace.get_tracer("a library")  # as modules do it, before anything is set up

    @app.get("/library")
    async def library() -> None:
        with tracer.start_as_current_span("its work") as span:
            span.set_attribute("password", "hunter2")
            span.set_attribute("db.dsn", "postgres://user:hunter2@db/shop")
            try:
                raise LookupError("token=hunter2")
            except LookupError as error:
                span.record_exception(error)

    with client_of(folder, app) as client:
        client.get("/library")
    request, work = collector.one("GET /library"), collector.one("its work")
    assert (work.trace_id, work.parent) == (request.trace_id, request.span_id)
    assert work.scope == "a library"
    assert work.attributes["password"] == "***"
    assert b"hunter2" not in b"".join(collector.bodies)
    assert [name for name, _ in work.events] == ["exception"]


def test_two_projects_of_one_process_have_their_own(tmp_path: Path) -> None:
    """The global interface leads to the project whose request runs."""
    from tests.folder import isolated

    from .collector import collecting

    tracer = trace.get_tracer("shared by both")

    def app_of(name: str) -> FastAPI:
        app = FastAPI()

        @app.get(f"/{name}")
        async def handler() -> None:
            with tracer.start_as_current_span(f"of {name}"):
                pass

        return app

    with collecting() as first, collecting() as second:
        projects: list[Any] = []
        for number, collector in enumerate((first, second)):
            (tmp_path / str(number)).mkdir()
            with isolated(tmp_path / str(number)) as folder:
                write(folder, collector.url, "metrics=False")
                projects.append(folder.load())
        one, two = (
            TestClient(get_asgi_application(project, app=app_of(name)))
            for project, name in zip(projects, ("one", "two"), strict=True)
        )
        with one, two:
            for _ in range(3):
                one.get("/one")
                two.get("/two")
        assert {span.name for span in first.spans} == {"GET /one", "of one"}
        assert {span.name for span in second.spans} == {"GET /two", "of two"}


async def test_requests_beside_each_other_keep_their_traces(
    folder: ProjectFolder, collector: Collector
) -> None:
    write(folder, collector.url)
    app = get_asgi_application(folder.load())
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://testserver"
        ) as client:
            answers = await asyncio.gather(*(client.get(f"/orders/{n}") for n in range(50)))
        assert trace.get_current_span().get_span_context().is_valid is False
    by_order = {
        span.attributes["order"]: span for span in collector.spans if span.name == "look it up"
    }
    for number, answer in enumerate(answers):
        span = by_order[number]
        assert answer.json()["ids"] == [span.trace_id, span.span_id]
        assert answer.headers["traceresponse"][3:52] == f"{span.trace_id}-{span.parent}"
    assert len({span.trace_id for span in by_order.values()}) == 50


def test_without_an_endpoint_nothing_is_traced(folder: ProjectFolder) -> None:
    write(folder, "")
    with client_of(folder) as client:
        answer = client.get("/ids")
    assert answer.json() == {"ids": None}
    assert "traceresponse" not in answer.headers


def test_a_project_that_is_not_traced_is_not_recorded_with_one_that_is(tmp_path: Path) -> None:
    from tests.folder import isolated

    from .collector import collecting

    with collecting() as collector:
        apps: list[FastAPI] = []
        for name, endpoint in (("one", collector.url), ("two", "")):
            (tmp_path / name).mkdir()
            with isolated(tmp_path / name) as folder:
                write(folder, endpoint, "metrics=False")
                apps.append(get_asgi_application(folder.load()))
        with TestClient(apps[0]) as traced, TestClient(apps[1]) as untraced:
            untraced.get("/ids")
            traced.get("/orders/1")
        assert {span.name for span in collector.spans} == {
            "GET /orders/{order_id}",
            "look it up",
        }
