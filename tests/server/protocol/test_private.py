"""The names of uvicorn's that our protocol relies on are there, or it is not used."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fastforge.server.protocol import protocol_of
from fastforge.server.protocol.connection import Connection
from fastforge.server.protocol.private import missing_names
from tests.processes import fetch, free_port, start, wait_until
from tests.request_path.wire import Wire


def test_the_installed_uvicorn_has_every_name() -> None:
    assert missing_names() == []
    assert protocol_of() is Connection


@pytest.mark.parametrize("name", ["on_response_complete", "_should_upgrade"])
def test_without_one_of_them_uvicorns_own_protocol_serves_and_one_line_says_so(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(HttpToolsProtocol, name)
    with caplog.at_level(logging.WARNING, "fastforge.server"):
        assert protocol_of() is AutoHTTPProtocol
    (record,) = caplog.records
    assert f"HttpToolsProtocol.{name}" in record.message


def test_what_its_module_no_longer_has_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(httptools_impl, "STATUS_LINE")
    assert missing_names() == ["httptools_impl.STATUS_LINE"]


def test_a_cycle_that_is_made_elsewhere_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpToolsProtocol, "on_headers_complete", lambda self: None)
    assert missing_names() == ["RequestResponseCycle in HttpToolsProtocol.on_headers_complete"]


def test_what_a_constructor_no_longer_sets_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def set_less(self: HttpToolsProtocol) -> None:
        self.cycle = None  # type: ignore[assignment]

    monkeypatch.setattr(HttpToolsProtocol, "__init__", set_less)
    missing = missing_names()
    assert "HttpToolsProtocol.scope" in missing
    assert "HttpToolsProtocol.cycle" not in missing


def test_plain_uvicorn_takes_it_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "site_app.py").write_text("from starlette.applications import Starlette as App\n")
    port, name = free_port(), f"{Connection.__module__}:{Connection.__name__}"
    argv = [sys.executable, "-m", "uvicorn", "--factory", "site_app:App", "--port", str(port)]
    with start([*argv, "--http", name], cwd=tmp_path) as server:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/"), describe=server)
        with Wire(port) as wire:
            wire.socket.sendall(b"nonsense\r\n\r\n")
            answer = wire.answer()
        assert (answer.status, answer.json["code"]) == (400, "server.E020")
        server.wait_for('"- - HTTP/1.1" 400')
