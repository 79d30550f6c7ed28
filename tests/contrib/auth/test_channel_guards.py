"""Channels: who opens a socket is known as who sends a request is, and for no longer."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from fastforge import Project
from fastforge.test import run_command
from fastforge.test.channels import ChannelClient, SocketClosed, channel_client
from fastforge.test.lifespan import Application, application_of, started

from ...folder import ProjectFolder
from .conftest import PASSWORD, settings

KEY = "q7Zk1v0mW3xN8bT5rY2uJ6pL9sD4fG0hC"
CHANNELS = """
    from fastforge.channels import Channel, Connection

    class Orders(Channel, pattern="orders:{user_id:int}"):
        async def authorize(self, connection: Connection, user_id: int) -> bool:
            return connection.user is not None and connection.user.id == user_id
"""
ROUTES = """
    from fastapi import APIRouter

    from fastforge.contrib.auth import find_user, issue, revoke_user
    from fastforge.contrib.db import DbSession

    router = APIRouter()

    @router.post("/token")
    async def token(db: DbSession) -> str:
        user = await find_user(db, "ann@example.org")
        return (await issue(db, user)).access_token

    @router.post("/revoke")
    async def revoke(db: DbSession) -> None:
        user = await find_user(db, "ann@example.org")
        await revoke_user(db, user.id)
"""


@pytest.fixture
def project(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("FASTFORGE_USER_PASSWORD", PASSWORD)
    folder.write(
        {
            "shop/settings.py": textwrap.dedent(settings(apps='"shop.web"'))
            + f"SECRET_KEY = {KEY!r}\n",
            "shop/web/routes.py": ROUTES,
            "shop/web/channels.py": CHANNELS,
        }
    )
    project = folder.load()
    assert run_command(project, "migrate").exit_code == 0
    assert run_command(project, "createuser", "ann@example.org").exit_code == 0
    return project


class Shop:
    def __init__(self, application: Application, stack: AsyncExitStack) -> None:
        self.application = application
        self._stack = stack
        transport = httpx.ASGITransport(application)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    async def token(self) -> str:
        token: str = (await self.http.post("/token")).json()
        return token

    async def client(self, **options: Any) -> ChannelClient:
        return await self._stack.enter_async_context(channel_client(self.application, **options))


@pytest.fixture
async def shop(project: Project) -> AsyncIterator[Shop]:
    async with started(application_of(project)) as running, AsyncExitStack() as stack:
        shop = Shop(running, stack)
        await stack.enter_async_context(shop.http)
        yield shop


async def test_a_header_and_a_subprotocol_say_who_it_is(shop: Shop) -> None:
    token = await shop.token()
    by_header = await shop.client(headers={"Authorization": f"Bearer {token}"})
    by_subprotocol = await shop.client(token=token)
    assert by_subprotocol.socket.subprotocol == "fastforge"
    for client in (by_header, by_subprotocol):
        assert (await client.join("orders:1"))["type"] == "joined"
        assert (await client.join("orders:2"))["code"] == "forbidden"
    nobody = await shop.client()
    assert (await nobody.join("orders:1"))["code"] == "unauthenticated"


async def test_the_first_frame_may_say_it_as_well(shop: Shop) -> None:
    client = await shop.client()
    assert (await client.ask("authenticate", token=await shop.token()))["type"] == "ok"
    assert (await client.join("orders:1"))["type"] == "joined"


async def test_a_token_that_is_not_good_ends_the_socket_with_4001(shop: Shop) -> None:
    for options in ({"token": "x"}, {"headers": {"Authorization": "Bearer x"}}):
        with pytest.raises(SocketClosed) as closed:
            await shop.client(**options)
        assert closed.value.code == 4001
    client = await shop.client()
    client.send({"type": "authenticate", "token": "x"})
    assert (await client.closed()).code == 4001


async def test_a_revocation_ends_the_sockets_of_its_user_and_no_others(shop: Shop) -> None:
    token = await shop.token()
    ann, nobody = await shop.client(token=token), await shop.client()
    await ann.join("orders:1")
    assert (await shop.http.post("/revoke")).status_code == 200
    assert (await ann.closed()).code == 4100
    assert (await nobody.ask("ping"))["type"] == "pong"
    with pytest.raises(SocketClosed) as closed:
        await shop.client(token=token)
    assert closed.value.code == 4001
