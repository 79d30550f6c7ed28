"""A project that fails in all the ways that a developer meets."""

from __future__ import annotations

from typing import Final

JWT: Final = "eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOiJzZWNyZXQifQ.c2lnbmF0dXJlLW9mLWNhbmFyeQ"
CANARY: Final = "canary-4f1b9c-secret"
DSN_PASSWORD: Final = "canary-dsn-77aa-word"

SHOP: Final = {
    "shop/settings.py": """
        from fastforge.conf import App, env
        from fastforge.contrib.db import Database

        SECRET_KEY = env.secret("SECRET_KEY")
        ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
        TEMPLATES = {"directories": ["templates"]}
        INSTALLED_APPS = [
            "fastforge.contrib.db", "fastforge.contrib.templates", App("shop.orders", prefix=""),
        ]
        MIDDLEWARE = ["shop.layers.Failing"]
        DATABASES = {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}
        """,
    "shop/layers.py": """
        class Failing:
            def __init__(self, app):
                self.app = app

            async def __call__(self, scope, receive, send):
                if scope.get("path") == "/layer":
                    raise LookupError("no such layer")
                await self.app(scope, receive, send)
        """,
    "shop/orders/models.py": """
        from fastforge.contrib.db import Model
        from sqlalchemy.orm import Mapped, mapped_column

        class Order(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
        """,
    "shop/orders/panels.py": """
        from fastforge.web import PanelRow, error_panel

        @error_panel(title="Searches")
        def searches(scope):
            found = scope.get("shop.searches", ())
            return [PanelRow(text=each, note="2 ms", warning="slow") for each in found]

        @error_panel
        def broken_part(scope):
            raise KeyError("nothing")
        """,
    "templates/orders/page.html": """
        <h1>{{ title }}</h1>
        <p>{{ 1 / orders }}</p>
        """,
    "shop/orders/routes.py": """
        import logging
        from dataclasses import dataclass
        from typing import Annotated

        from fastapi import APIRouter, Body, Depends, Form, Request
        from fastforge.contrib.db import DbSession
        from fastforge.contrib.templates import Render
        from fastforge.exceptions import ForgeError, Location, ResourceUnavailable
        from sqlalchemy import text

        logger = logging.getLogger("shop.orders")
        router = APIRouter()

        @dataclass
        class Total:
            amount: int
            api_key: str

        def mean(totals):
            total = Total(len(totals), "canary-4f1b9c-secret")
            return sum(totals) / len(totals)

        @router.get("/zero/{order_id}")
        async def zero(order_id: int, request: Request, db: DbSession, access_token: str = ""):
            request.scope["shop.searches"] = ["shoes & socks"]
            for _ in range(6):
                await db.execute(text("SELECT 1"))
            logger.warning("looking for <order> %d with password=canary-4f1b9c-secret", order_id)
            return mean([])

        @router.get("/chain")
        async def chain():
            try:
                mean([])
            except ZeroDivisionError as error:
                raise RuntimeError("<b>no mean</b>") from error

        @router.get("/ring")
        async def ring():
            first, second = ValueError("first"), ValueError("second")
            first.__cause__, second.__cause__ = second, first
            raise first

        @router.get("/group")
        async def group():
            raise ExceptionGroup("two things", [ValueError("one"), KeyError("other")])

        @router.get("/deep")
        async def deep(depth: int = 0):
            return await deep(depth + 1)

        @router.get("/answer")
        async def answer() -> list[int]:
            return [1, "two", {"password": "canary-4f1b9c-secret"}]

        @router.get("/ours")
        async def ours():
            place = Location(__file__, 14)
            hint = "did you mean 'blog'?"
            raise ForgeError("no 'blgo'", code="shop.E001", hint=hint, where=place)

        @router.get("/away")
        async def away():
            raise ResourceUnavailable("the vault is away", code="lifecycle.E010", hint="start it")

        def dependency():
            raise PermissionError("the dependency")

        @router.get("/dependency")
        async def dependent(found: Annotated[int, Depends(dependency)]):
            return found

        @router.get("/template")
        async def template(render: Render):
            return render("orders/page.html", {"title": "Orders", "orders": 0})

        @router.head("/chain")
        async def chain_alone():
            return await chain()

        @router.get("/missing")
        async def missing(render: Render):
            return render("orders/none.html", {})

        @router.get("/name")
        async def name():
            ordr = 1
            return order

        @router.post("/form")
        async def form(name: Annotated[str, Form()], password: Annotated[str, Form()]):
            raise ValueError(f"{name} with {password}")

        @router.post("/body")
        async def body(data: Annotated[dict, Body()]):
            raise ValueError(data["token"])

        @router.get("/hanging")
        async def hanging():
            class Endless:
                def __repr__(self):
                    while True:
                        pass
            endless = Endless()
            raise ValueError("with an endless variable")

        @router.get("/late")
        async def late(request: Request):
            raise SystemError(request.headers["authorization"], dict(request.cookies))
        """,
}
ENVIRON: Final = {
    "FASTFORGE_ENV": "development",
    "SECRET_KEY": "canary-4f1b9c-Jq7Zk1v0mW3xN8bT5rY2uJ6pL9sD",
    "BACKUP_URL": f"postgresql://backup:{DSN_PASSWORD}@db.internal/backup",
}
