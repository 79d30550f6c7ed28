"""Sockets: who opens one is known by the cookie, if a page of ours has opened it."""

from __future__ import annotations

import json

import pytest

from fastforge import Project
from fastforge.test.channels.sockets import InProcessSocket, SocketClosed
from fastforge.test.http import client
from fastforge.test.lifespan import application_of

from .shop import log_in

URL = "https://shop.example"
SOCKETS = "wss://shop.example"


async def test_a_socket_knows_who_has_opened_it_and_what_their_session_holds(
    project: Project,
) -> None:
    """Not if the page is another site's, nor if nobody says whose it is."""
    application = application_of(project)

    async def opened(secret: str, **headers: str) -> object:
        headers |= {"host": "shop.example", "cookie": f"__Host-session={secret}"}
        socket = InProcessSocket(
            application, "wss://shop.example/socket", headers=headers, extra={}
        )
        await socket.open()
        try:
            return json.loads(await socket.receive())
        finally:
            await socket.close()

    async with client(application, base_url=URL, headers={"Origin": URL}) as http:
        secret = await log_in(http)
        await http.post("/cart/7")
        assert await opened(secret, origin=URL) == {"id": 1, "cart": [7]}
        assert await opened("", origin=URL) == {"id": None, "cart": None}
        for origin in ({"origin": "https://evil.example"}, {}, {"origin": "null"}):
            with pytest.raises(SocketClosed):
                await opened(secret, **origin)


async def test_a_socket_changes_nothing_in_a_session(project: Project) -> None:
    application = application_of(project)
    async with client(application, base_url=URL):
        headers = {"host": "shop.example", "origin": URL}
        socket = InProcessSocket(
            application, "wss://shop.example/greedy", headers=headers, extra={}
        )
        await socket.open()
        assert await socket.receive() == "sessions.E013"
        await socket.close()
