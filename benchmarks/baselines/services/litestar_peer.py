"""The service on Litestar with its own plugins: structlog, SQLAlchemy, its store on Redis.

Usage: uvicorn litestar_peer:app
"""

from __future__ import annotations

import hashlib
import os
import uuid
from typing import Any

import msgspec
import structlog
from advanced_alchemy.extensions.litestar import (
    EngineConfig,
    SQLAlchemyAsyncConfig,
    SQLAlchemyPlugin,
)
from litestar import Litestar, Request, Router, get, post
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException, NotFoundException
from litestar.middleware import (
    AbstractAuthenticationMiddleware,
    ASGIMiddleware,
    AuthenticationResult,
)
from litestar.middleware.logging import LoggingMiddlewareConfig
from litestar.plugins.structlog import StructlogConfig, StructlogPlugin
from litestar.stores.redis import RedisStore
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from rows import Item
from sqlalchemy.ext.asyncio import AsyncSession

ROUTERS = 20
ROUTES = 10
store = RedisStore.with_client(os.environ["BENCH_REDIS_URL"], namespace=None)


class NewItem(msgspec.Struct):
    """What is sent to write an item."""

    name: str
    price: float
    in_stock: bool = True


class ItemOut(msgspec.Struct):
    """An item as it is answered."""

    id: int
    name: str
    price: float
    in_stock: bool


class UserOut(msgspec.Struct):
    """Who asks."""

    id: int


class RequestId(ASGIMiddleware):
    """Gives every request an id, which its lines have."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let the request pass."""
        request_id = str(uuid.uuid4())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        await next_app(scope, receive, send_with_id)


class TokenInRedis(AbstractAuthenticationMiddleware):
    """Knows who asks by a token."""

    async def authenticate_request(
        self, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> AuthenticationResult:
        """Return who it is, as it is kept."""
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        cached = await store.get(f"token:{hashlib.sha256(token.encode()).hexdigest()}")
        if cached is None:
            raise NotAuthorizedException
        return AuthenticationResult(user=msgspec.json.decode(cached, type=UserOut), auth=token)


@get("/ping")
async def ping() -> dict[str, str]:
    """Answer."""
    return {"ping": "pong"}


@get("/me", middleware=[TokenInRedis])
async def me(request: Request[UserOut, str, Any]) -> UserOut:
    """Say who asks."""
    return request.user


@get("/items/{item_id:int}")
async def read(item_id: int, db_session: AsyncSession) -> ItemOut:
    """Return one item."""
    item = await db_session.get(Item, item_id)
    if item is None:
        raise NotFoundException
    return ItemOut(id=item.id, name=item.name, price=item.price, in_stock=item.in_stock)


@post("/items")
async def create(data: NewItem, db_session: AsyncSession) -> ItemOut:
    """Store an item."""
    item = Item(name=data.name, price=data.price, in_stock=data.in_stock)
    db_session.add(item)
    await db_session.flush()
    return ItemOut(id=item.id, name=item.name, price=item.price, in_stock=item.in_stock)


def many_routers() -> list[Router]:
    """Return two hundred routes in twenty routers."""
    routers = []
    for number in range(ROUTERS):
        handlers = []
        for route in range(ROUTES):

            @get(f"/things{route}/{{item:int}}", name=f"app{number}_things_{route}")
            async def show(item: int) -> dict[str, int]:
                return {"item": item}

            handlers.append(show)
        routers.append(Router(f"/app{number}", route_handlers=handlers))
    return routers


app = Litestar(
    [ping, me, read, create, *(many_routers() if "BENCH_ROUTES" in os.environ else [])],
    middleware=[RequestId()],
    plugins=[
        StructlogPlugin(
            StructlogConfig(
                middleware_logging_config=LoggingMiddlewareConfig(
                    request_log_fields=("method", "path"), response_log_fields=("status_code",)
                )
            )
        ),
        SQLAlchemyPlugin(
            SQLAlchemyAsyncConfig(
                connection_string=os.environ["BENCH_DATABASE_URL"],
                engine_config=EngineConfig(pool_size=5, max_overflow=0),
                before_send_handler="autocommit",
            )
        ),
    ],
)
