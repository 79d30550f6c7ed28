"""Routes that are never reached are told with both places, and routes that are slowly found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import run_checks
from tests.folder import ProjectFolder, isolated

EXISTING = """
    from fastapi import APIRouter, FastAPI
    from starlette.routing import Match, Route

    from fastforge.asgi import get_asgi_application
    from fastforge.project import Project

    class ByHeader(Route):
        def matches(self, scope):
            return super().matches(scope) if scope["headers"] else (Match.NONE, {})

    class Own(APIRouter):
        async def app(self, scope, receive, send):
            await super().app(scope, receive, send)

    existing = FastAPI()
    project = Project.load("shop.settings", environ={"FASTFORGE_ENV": "test"})
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        yield folder


def told(shop: ProjectFolder) -> list[str]:
    messages = run_checks(shop.load(), tags=["web"])
    return [str(message).replace(f"{shop.path}/", "") for message in messages]


def test_two_routes_of_an_existing_application_are_told_with_both_files(
    shop: ProjectFolder,
) -> None:
    shop.write(
        {
            "shop/legacy.py": """
                from fastapi import APIRouter

                router = APIRouter(prefix="/legacy")

                @router.get("/{number}")
                async def old(number: int): ...
                """,
            "shop/asgi.py": EXISTING
            + """
    from shop.legacy import router

    existing.include_router(router)

    @existing.api_route("/legacy/{key}", methods=["GET", "POST"])
    async def new(key: str): ...

    @existing.get("/legacy/{key:int}")
    async def other(key: int): ...

    app = get_asgi_application(project, app=existing)
    """,
        }
    )
    assert told(shop) == [
        "error [web.E015] shop/asgi.py:22: GET /legacy/{key} is declared twice: by"
        " shop.legacy.old (shop/legacy.py:5) and by shop.asgi.new (shop/asgi.py:22), which is"
        " never reached; remove one of them, or change its path"
    ]


def test_routes_that_tell_requests_apart_in_their_own_way_may_share_a_path(
    shop: ProjectFolder,
) -> None:
    shop.write(
        {
            "shop/asgi.py": EXISTING
            + """
    async def first(request): ...
    async def second(request): ...

    existing.router.routes += [ByHeader("/a", first), Route("/a", second)]
    app = get_asgi_application(project, app=existing)
    """
        }
    )
    assert told(shop) == []


def test_an_application_that_keeps_its_own_routing_is_told_why(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/asgi.py": EXISTING
            + """
    existing.router = Own()
    app = get_asgi_application(project, app=existing)
    """
        }
    )
    (line,) = told(shop)
    assert line.startswith(
        "info [web.I020] a request tries one route after the other: the class Own of its router"
        " routes in its own way; it works"
    )


def test_nothing_is_said_of_a_project_whose_application_is_made_of_its_apps(
    shop: ProjectFolder,
) -> None:
    assert told(shop) == []


def test_an_application_where_a_router_is_meant_is_told(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]',
            "shop/orders/__init__.py": "",
            "shop/orders/routes.py": """
                from fastapi import APIRouter, FastAPI

                app = FastAPI()

                @app.get("/orders")
                async def orders() -> None: ...
                """,
        }
    )
    (line,) = told(shop)
    assert line.startswith(
        "warning [web.W005] shop/orders/routes.py:3: the routes of app are not served: it is an"
    )


def test_an_application_beside_a_router_is_its_own_business(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]',
            "shop/orders/__init__.py": "",
            "shop/orders/routes.py": """
                from fastapi import APIRouter, FastAPI

                admin = FastAPI()

                @admin.get("/orders")
                async def orders() -> None: ...

                router = APIRouter()
                router.mount("/admin", admin)
                """,
        }
    )
    assert told(shop) == []
