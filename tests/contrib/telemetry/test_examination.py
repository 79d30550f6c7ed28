"""`manage doctor` says whether the collector can be reached."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from fastforge.checks import Diagnosis, Patient
from fastforge.contrib.telemetry.examinations import collector_is_there
from tests.folder import isolated
from tests.processes import free_port


async def rows(tmp_path: Path, telemetry: str = "{}") -> list[Diagnosis]:
    with isolated(tmp_path) as folder:
        settings = f"INSTALLED_APPS = ['fastforge.contrib.telemetry']\nTELEMETRY = {telemetry}\n"
        folder.write({"shop/settings.py": settings})
        patient = Patient(project=folder.load(), timeout_s=1)
        found = collector_is_there.function(patient)
        return [row async for row in found]  # type: ignore[union-attr]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


async def test_without_a_collector_nothing_is_sent(tmp_path: Path) -> None:
    [row] = await rows(tmp_path)
    assert (row.verdict, row.text) == ("ok", "none is named: nothing is sent")


async def test_a_collector_is_reached_or_not_and_no_secret_of_its_url_is_shown(
    tmp_path: Path,
) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        url = f"http://me:s3cret@127.0.0.1:{port}"
        there, samples = await rows(tmp_path, f"{{'endpoint': '{url}', 'sample_ratio': 0.25}}")
    assert there.verdict == "ok"
    assert there.text.startswith(f"traces and metrics to http://127.0.0.1:{port}: reached in ")
    assert samples.text.startswith("25% of ")

    url = f"http://me:s3cret@127.0.0.1:{free_port()}"
    away, _ = await rows(tmp_path, f"{{'endpoint': '{url}'}}")
    assert away.verdict == "warn"
    assert away.text.endswith(": nothing listens there")
    assert "s3cret" not in away.text


async def test_one_that_is_silent_is_waited_for_within_the_limit(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it never speaks TLS
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        row, _ = await rows(tmp_path, f"{{'endpoint': '{url}'}}")
    assert row.verdict == "warn"
    assert row.text.endswith(": no answer within 0.8 s")
