"""A project with channels that is running, and clients of it."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from fastforge.channels import Principal
from fastforge.channels.rooms.hub import Hub
from fastforge.lifecycle import Container, use_container
from fastforge.test.channels import ChannelClient, channel_client
from fastforge.test.lifespan import Application, application_of, started

from ..folder import ProjectFolder

CHANNELS = """
    from typing import Literal

    from pydantic import BaseModel, Field

    from fastforge.channels import Channel, Connection, receives

    class Said(BaseModel):
        type: Literal["said"] = "said"
        text: str

    class Say(BaseModel):
        type: Literal["say"] = "say"
        text: str = Field(max_length=20)

    class Shout(BaseModel):
        type: Literal["shout"] = "shout"
        text: str

    class Room(Channel, pattern="room:{room_id:int}"):
        Incoming = Say | Shout
        Outgoing = Said

        async def authorize(self, connection: Connection, room_id: int) -> bool:
            return connection.user is not None and room_id < 10

        @receives
        async def say(self, message: Say, room_id: int) -> dict[str, int]:
            await self.broadcast(Said(text=message.text), to_others=True)
            return {"room": room_id}

        @receives
        async def shout(self, message: Shout) -> None:
            if message.text == "fail":
                raise RuntimeError("secret")
            self.send(Said(text=message.text.upper()))

    class News(Channel, pattern="news", public=True, history=3):
        Outgoing = Said
"""
ROUTES = """
    from types import SimpleNamespace

    from fastapi import APIRouter, Body

    from fastforge.channels.rooms.hub import hub_of
    from fastforge.lifecycle import current_container

    from . import channels

    found = SimpleNamespace()
    router = APIRouter()

    @router.get("/hub")
    async def hub() -> None:
        found.container = current_container()
        found.hub = hub_of(found.container)

    @router.post("/publish/{kind}")
    async def publish(kind: str, text: str = Body(), parameters: dict[str, int] = Body()) -> None:
        await getattr(channels, kind).publish(channels.Said(text=text), **parameters)
"""


@dataclass(frozen=True, kw_only=True)
class Somebody:
    """Who opens a socket."""

    id: Any = 1
    token_id: str = ""
    expires_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Live:
    """The running project."""

    application: Application
    channels: Any
    found: Any
    http: httpx.AsyncClient
    stack: AsyncExitStack

    async def client(self, *, user: Principal | None = None, **options: Any) -> ChannelClient:
        """Open a socket, which is closed when the test ends."""
        manager = channel_client(self.application, user=user, **options)
        client = await self.stack.enter_async_context(manager)
        client.patience_s = 30
        return client

    @property
    def hub(self) -> Hub:
        """The rooms of the process."""
        hub: Hub = self.found.hub
        return hub

    def here(self) -> AbstractContextManager[Container]:
        """Let what runs inside be the project's, as a handler is."""
        return use_container(self.found.container)

    async def until(self, holds: Callable[[], bool], *, within_s: float = 30) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(within_s):
            while not holds():
                await asyncio.sleep(0.01)

    async def publish(self, kind: str, text: str, **parameters: int) -> None:
        """Publish in a handler."""
        body = {"text": text, "parameters": parameters}
        answer = await self.http.post(f"/publish/{kind}", json=body)
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def live_with(
    folder: ProjectFolder,
    *,
    settings: str = "",
    apps: str = '"shop.talk"',
    more: str = "",
    channels: str = CHANNELS,
    files: Mapping[str, str] | None = None,
) -> AsyncIterator[Live]:
    """Run a project with channels."""
    folder.write(
        {
            "shop/settings.py": f"""
                from fastforge.channels import Channels

                INSTALLED_APPS = [{apps}]
                CHANNELS = Channels({settings})
            """
            + more,
            "shop/talk/channels.py": channels,
            "shop/talk/routes.py": ROUTES,
            **(files or {}),
        }
    )
    application = application_of(folder.load())
    async with started(application) as running, AsyncExitStack() as stack:
        transport = httpx.ASGITransport(running)
        http = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        await stack.enter_async_context(http)
        module = importlib.import_module("shop.talk.channels")
        routes = importlib.import_module("shop.talk.routes")
        assert (await http.get("/hub")).status_code == 200
        yield Live(application=running, channels=module, found=routes.found, http=http, stack=stack)
