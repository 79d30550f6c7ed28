"""The names of uvicorn's that our web sockets rely on are there, or they are not used."""

from __future__ import annotations

import logging
import socket
from typing import cast

import pytest
from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

import fastforge.server.protocol as protocols
from fastforge.conf import Settings
from fastforge.server.protocol import websocket_protocol_of
from fastforge.server.protocol.websocket.private import METHODS, missing_names
from fastforge.server.protocol.websocket.protocol import WebSocketProtocol
from fastforge.server.protocol.wire import give_up_after


def test_the_installed_uvicorn_has_every_name() -> None:
    assert missing_names() == []
    assert websocket_protocol_of() is protocols.WebSocketProtocol is WebSocketProtocol


def test_nothing_is_overridden_that_is_not_among_the_names() -> None:
    own = {
        name
        for kind in WebSocketProtocol.__mro__
        if kind.__module__.startswith("fastforge.")
        for name in vars(kind)
        if not name.startswith("__")
    }
    inherited = {name for name in own if hasattr(WebSocketsSansIOProtocol, name)}
    assert inherited <= METHODS.keys()


def test_without_one_of_them_uvicorns_own_serves_and_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(WebSocketsSansIOProtocol, "keepalive_timeout")
    with caplog.at_level(logging.WARNING, "fastforge.server"):
        assert protocols.WebSocketProtocol is AutoWebSocketsProtocol
    (record,) = caplog.records
    assert "no WebSocketsSansIOProtocol.keepalive_timeout" in record.message


def test_another_parameter_is_missed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def handle_close(self: object, event: object, more: object) -> None: ...

    monkeypatch.setattr(WebSocketsSansIOProtocol, "handle_close", handle_close)
    assert missing_names() == ["WebSocketsSansIOProtocol.handle_close"]


def test_settings_that_are_given_go_before_those_of_the_project() -> None:
    settings = cast(Settings, object())
    made = websocket_protocol_of(settings)
    assert made is not None
    assert issubclass(made, WebSocketProtocol)
    assert made.settings_given is settings


def test_a_listener_hands_its_limit_on_to_what_it_accepts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        give_up_after(listener, 40)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            option = socket.TCP_USER_TIMEOUT
            assert accepted.getsockopt(socket.IPPROTO_TCP, option) == 40_000
