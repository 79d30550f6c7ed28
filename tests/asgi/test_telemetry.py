"""FastAPI's telemetry works as ever; that nobody has set it up is remembered for a moment."""

from __future__ import annotations

from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastforge.asgi.telemetry import lead_telemetry
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
    lead_telemetry(app)
    assert TestClient(app).get("/").status_code == 404
    assert provider.asked > 0


def test_that_nobody_wants_it_is_remembered_and_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", None)  # of another test's project
    provider, app = Provider(), FastAPI()
    lead_telemetry(app)
    lead_telemetry(app)
    client = TestClient(app)
    client.get("/")
    app._telemetry["tracer_provider"] = cast(Any, provider)
    client.get("/")
    assert provider.asked == 0
    wait_until(lambda: client.get("/").status_code and provider.asked)


def test_an_application_of_another_make_stays_as_it_is() -> None:
    app = FastAPI()
    del app._native_telemetry
    lead_telemetry(app)
    assert not hasattr(app, "_native_telemetry")
