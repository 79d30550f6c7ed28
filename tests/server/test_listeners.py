"""What has reached a listener by the time when it is closed is answered."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
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


@pytest.mark.parametrize("is_asked", [True, False])
async def test_a_server_that_nobody_has_asked_yet_has_nothing_to_drain(is_asked: bool) -> None:
    async with started(drain_s=600) as (server, listener):
        if is_asked:
            with socket.create_connection(listener.getsockname()) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert await asyncio.to_thread(answer_to, client) == b"served"
        server.drain()
        is_over = await server.on_tick(1)
        assert is_over is not is_asked
        await server.shutdown([listener])


async def test_one_of_several_takes_no_connection_while_it_drains_and_waits_for_its_own() -> None:
    async with started(drain_s=600) as (server, listener):
        other = listener.dup()  # that of another process
        with other, socket.create_connection(listener.getsockname()) as early:
            early.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert await asyncio.to_thread(answer_to, early) == b"served"
            server.accepts_while_draining = False
            server.drain()
            assert not await server.on_tick(1)  # it still has a client
            with socket.create_connection(other.getsockname()) as late:
                late.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await asyncio.sleep(0.1)
                other.setblocking(True)
                accepted, _ = other.accept()
                with accepted:
                    assert accepted.recv(3) == b"GET"
        while not await server.on_tick(1):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def started(**options: Any) -> AsyncIterator[tuple[Server, socket.socket]]:
    """A server that accepts connections, in this event loop."""
    config = uvicorn.Config(application, lifespan="off", log_config=None)
    server = Server(config, linger_s=30, graceful_s=30, **options)
    with bind("127.0.0.1", 0) as listener:
        server.lifespan = config.lifespan_class(config)
        server._sockets = [listener]
        await server.startup([listener])
        yield server, listener


async def asked_in_the_last_moment(*, owns_listeners: bool) -> bytes | None:
    """Connect when the server looks for connections no more; return what it answers."""
    async with started(owns_listeners=owns_listeners) as (server, listener):
        address = listener.getsockname()
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
