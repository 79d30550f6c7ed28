"""The shop: its settings, the routes that use a session, and browsers that ask for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from fastforge import Project
from fastforge.test import client

ANN = "ann@example.org"
PASSWORD = "plum-kettle-9"
SETTINGS = """
    from fastforge.conf import App, env
    from fastforge.contrib.auth import Auth
    from fastforge.contrib.db import Database
    from fastforge.contrib.sessions import Sessions

    SECRET_KEY = {key!r}
    ALLOWED_HOSTS = ["*"]
    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.auth", "fastforge.contrib.auth.default_user",
        "fastforge.contrib.sessions", {apps} "shop.web",
    ]
    DATABASES = {{"default": Database(url={url!r})}}
    SESSIONS = Sessions({sessions})
    {more}
"""
KEY = "a0Jq3v9tXwLr7ZcB2mYk5HsE8uNfG1dPqTi6oVx4"
OTHER_KEY = "Zk7Qn2WbR8sLd4Xv0MfGt6JhCy1PeUa9Ti3oVx5B"

ROUTES = """
    import asyncio
    from typing import Annotated

    from fastapi import APIRouter, Form, HTTPException, Request, WebSocket
    from sqlalchemy import text
    from starlette.responses import StreamingResponse

    from fastforge.cache import cached
    from fastforge.contrib.auth import (
        CurrentIdentity, OptionalIdentity, authenticate, create_user, identity_here,
        revoke_everybody, revoke_user, set_password, user_model,
    )
    from fastforge.contrib.db import DbSession, non_atomic
    from fastforge.contrib.sessions import (
        Session, SessionError, csrf_exempt, csrf_token, end_sessions, log_in, log_out,
    )

    router = APIRouter()
    gates: dict[str, asyncio.Event] = {}


    @router.post("/login")
    @non_atomic
    async def login(email: str, password: str, db: DbSession, session: Session) -> int:
        user = await authenticate(db, email, password)
        if user is None:
            raise HTTPException(401)
        await log_in(session, user)
        return user.id


    @router.post("/form-login")
    @non_atomic
    async def form_login(
        email: Annotated[str, Form()],
        password: Annotated[str, Form()],
        db: DbSession,
        session: Session,
    ) -> int:
        return await login(email, password, db, session)


    @router.post("/logout")
    async def logout(session: Session) -> str:
        await log_out(session)
        return "bye"


    @router.post("/password")
    async def change_password(
        new: str, me: CurrentIdentity, db: DbSession, session: Session
    ) -> str:
        user = await db.get_one(user_model(), me.id)
        await set_password(user, new)
        await log_in(session, user)
        return "changed"


    @router.post("/everywhere")
    async def everywhere(me: CurrentIdentity, db: DbSession) -> int:
        return await end_sessions(db, me.id)


    @router.post("/deactivate")
    async def deactivate(db: DbSession) -> str:
        model = user_model()
        for user in await db.scalars(model.__table__.select().with_only_columns(model.id)):
            (await db.get_one(model, user)).is_active = False
        return "done"


    @router.post("/rotate")
    async def rotate(session: Session) -> str:
        session.rotate()
        return "rotated"


    @router.get("/me")
    async def me(me: CurrentIdentity) -> dict[str, int | str]:
        return {"id": me.id, "kind": me.kind}


    @router.get("/maybe")
    async def maybe(me: OptionalIdentity) -> int | str:
        return "nobody" if me is None else me.id


    @router.post("/me-in-between")
    async def me_in_between(db: DbSession) -> int | None:
        await db.execute(text("SELECT 1"))
        me = await identity_here()
        return me and me.id


    @router.post("/act")
    async def act(me: CurrentIdentity) -> int:
        return me.id


    @router.api_route("/anything", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    async def anything(me: CurrentIdentity) -> int:
        return me.id


    @router.post("/size", max_body_size=4_000_000)
    async def size(request: Request, me: CurrentIdentity) -> int:
        return len(await request.body())


    @router.get("/cached-cart", dependencies=[cached(ttl_s=60, ignore=["Cookie"])])
    async def cached_cart(session: Session) -> list[int]:
        return await session.get("cart", type=list[int], default=[])


    @router.post("/exempt")
    @csrf_exempt
    async def exempt(me: CurrentIdentity) -> int:
        return me.id


    @router.post("/webhook")
    async def webhook() -> str:
        return "taken"


    @router.get("/token")
    async def token() -> str:
        return csrf_token()


    @router.get("/free")
    async def free(db: DbSession) -> str:
        return "free"


    @router.get("/unused")
    async def unused(session: Session) -> str:
        return "unused"


    @router.get("/cart")
    async def cart(session: Session) -> list[int]:
        return await session.get("cart", type=list[int], default=[])


    @router.post("/cart/{product}")
    async def add(product: int, session: Session, status: int = 200) -> list[int]:
        content = [*await session.get("cart", type=list[int], default=[]), product]
        session.set("cart", content)
        if status >= 400:
            raise HTTPException(status)
        return content


    @router.get("/visit")
    async def visit(session: Session) -> int:
        count = await session.get("visits", type=int, default=0) + 1
        session.set("visits", count)
        return count


    @router.post("/slow/{key}")
    @non_atomic
    async def slow(key: str, session: Session) -> list[str]:
        await session.get(key)
        session.set(key, key)
        if (gate := gates.get(key)) is not None:
            await gate.wait()
        return sorted(await session.keys())


    @router.post("/broken-commit")
    async def broken_commit(session: Session, db: DbSession) -> str:
        session.set("cart", [666])
        await db.execute(text("PRAGMA defer_foreign_keys = 1"))
        await db.execute(text("INSERT INTO child (parent_id) VALUES (99)"))
        return "never"


    @router.post("/register")
    async def register(email: str, db: DbSession) -> int:
        return (await create_user(db, email, "plum-kettle-9")).id


    @router.post("/revoke")
    async def revoke(me: CurrentIdentity, db: DbSession, everybody: bool = False) -> int:
        return await (revoke_everybody(db) if everybody else revoke_user(db, me.id))


    @router.post("/goodbye")
    async def goodbye(session: Session) -> None:
        await log_out(session)
        session.set("message", "see you")


    @router.get("/message")
    async def message(session: Session) -> str | None:
        return await session.pop("message", type=str)


    @router.post("/huge")
    async def huge(session: Session) -> None:
        session.set("text", "x" * 70_000)


    @router.post("/odd")
    async def odd(session: Session) -> None:
        session.set("object", object())


    @router.post("/late")
    async def late(session: Session) -> StreamingResponse:
        async def stream():
            yield b"x"
            session.set("late", 1)

        return StreamingResponse(stream())


    @router.websocket("/greedy")
    async def greedy(websocket: WebSocket, session: Session) -> None:
        await websocket.accept()
        try:
            session.set("cart", [1])
        except SessionError as error:
            await websocket.send_text(error.code)
        await websocket.close()


    @router.websocket("/socket")
    async def socket(websocket: WebSocket, me: OptionalIdentity, session: Session) -> None:
        await websocket.accept()
        await websocket.send_json({"id": me and me.id, "cart": await session.get("cart")})
        await websocket.close()
"""


def settings(
    url: str = "sqlite+aiosqlite:///db.sqlite3",
    *,
    sessions: str = "",
    apps: str = "",
    more: str = "",
    key: str = KEY,
) -> str:
    """The settings of a project that has sessions."""
    return SETTINGS.format(url=url, sessions=sessions, apps=apps, more=more, key=key)


@asynccontextmanager
async def browser(
    project: Project, base_url: str = "https://shop.example"
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that has one of our pages open."""
    headers = {"Sec-Fetch-Site": "same-origin"}
    async with client(project, base_url=base_url, headers=headers) as http:
        yield http


async def log_in(http: httpx.AsyncClient) -> str:
    """Log Ann in; return what her cookie says."""
    answer = await http.post("/login", params={"email": ANN, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return secret_of(http)


def secret_of(http: httpx.AsyncClient) -> str:
    """What the cookie of a browser says; empty where it has none."""
    return next((each.value or "" for each in http.cookies.jar if "session" in each.name), "")


def with_secret(http: httpx.AsyncClient, secret: str) -> dict[bytes, bytes]:
    """The header of a request that says a secret in the place of what the browser has."""
    http.cookies.clear()
    return {b"Cookie": f"__Host-session={secret}".encode()}
