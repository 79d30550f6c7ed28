"""What has reached a listener by the time when it is closed is answered."""

from __future__ import annotations

import asyncio
import http.client
import socket
from typing import Any

import uvicorn

from fastforge.server.drain import Server
from fastforge.server.listening import bind


async def application(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})


def test_a_client_that_waits_where_nobody_else_listens_is_accepted() -> None:
    assert asyncio.run(asked_in_the_last_moment(owns_listeners=True)) == b"served"


def test_a_client_that_waits_where_others_listen_is_left_to_them() -> None:
    assert asyncio.run(asked_in_the_last_moment(owns_listeners=False)) is None


async def asked_in_the_last_moment(*, owns_listeners: bool) -> bytes | None:
    """Connect when the server looks for connections no more; return what it answers."""
    config = uvicorn.Config(application, lifespan="off", log_config=None)
    server = Server(config, linger_s=30, graceful_s=30, owns_listeners=owns_listeners)
    with bind("127.0.0.1", 0) as listener:
        server.lifespan = config.lifespan_class(config)
        address = listener.getsockname()
        await server.startup([listener])
        with socket.create_connection(address) as client:  # the kernel accepts, the loop does not
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            await server.shutdown([listener])
            return await asyncio.to_thread(answer_to, client)


def answer_to(client: socket.socket) -> bytes | None:
    answer = http.client.HTTPResponse(client)
    try:
        answer.begin()
        return answer.read()
    except OSError:
        return None
