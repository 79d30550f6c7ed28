"""The names of uvicorn's that our protocol relies on are there, or it is not used."""

from __future__ import annotations

import logging

import pytest
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fastforge.server.protocol import protocol_of
from fastforge.server.protocol.connection import Connection
from fastforge.server.protocol.private import missing_names


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


def test_what_a_constructor_no_longer_sets_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def set_less(self: HttpToolsProtocol) -> None:
        self.cycle = None  # type: ignore[assignment]

    monkeypatch.setattr(HttpToolsProtocol, "__init__", set_less)
    missing = missing_names()
    assert "HttpToolsProtocol.scope" in missing
    assert "HttpToolsProtocol.cycle" not in missing
