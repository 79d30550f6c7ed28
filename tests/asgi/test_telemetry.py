"""FastAPI's telemetry works as ever; that nobody has set it up is remembered for a moment."""

from __future__ import annotations

from typing import Any, cast

from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastforge.asgi.telemetry import ask_less_often
from tests.processes import wait_until


class Provider:
    """What FastAPI takes for a provider that somebody has set up; it counts its tracers."""

    def __init__(self) -> None:
        self.asked = 0

    def get_tracer(self, *args: Any, **options: Any) -> Any:
        from opentelemetry.trace import NoOpTracer

        self.asked += 1
        return NoOpTracer()


def test_telemetry_that_is_set_up_sees_every_request() -> None:
    provider = Provider()
    app = FastAPI(telemetry={"tracer_provider": cast(Any, provider)})
    ask_less_often(app)
    assert TestClient(app).get("/").status_code == 404
    assert provider.asked > 0


def test_that_nobody_wants_it_is_remembered_and_asked_again() -> None:
    provider, app = Provider(), FastAPI()
    ask_less_often(app)
    ask_less_often(app)
    client = TestClient(app)
    client.get("/")
    app._telemetry["tracer_provider"] = cast(Any, provider)
    client.get("/")
    assert provider.asked == 0
    wait_until(lambda: client.get("/").status_code and provider.asked)


def test_an_application_of_another_make_stays_as_it_is() -> None:
    app = FastAPI()
    del app._native_telemetry
    ask_less_often(app)
    assert not hasattr(app, "_native_telemetry")
