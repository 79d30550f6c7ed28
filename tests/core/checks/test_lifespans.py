"""What no server starts is told: mounted applications' lifespans, displaced event handlers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import run_checks
from tests.folder import ProjectFolder, isolated

LIFE = """
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def life(app):
        yield
    """

ASGI = """
    from fastapi import APIRouter, FastAPI
    from fastforge.asgi import get_asgi_application
    from shop.life import life
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": """
                    from fastforge.conf import App

                    INSTALLED_APPS = [App("shop.orders", prefix="/api")]
                    """,
                "shop/orders/__init__.py": "",
                "shop/life.py": LIFE,
            }
        )
        yield folder


def told(shop: ProjectFolder) -> list[str]:
    messages = run_checks(shop.load())
    return [str(each) for each in messages if each.id in ("web.W003", "web.W004")]


def test_a_mounted_application_with_a_lifespan_is_told_with_its_path_and_place(
    shop: ProjectFolder,
) -> None:
    shop.write(
        {
            "shop/orders/routes.py": """
                from fastapi import APIRouter, FastAPI
                from shop.life import life

                admin = FastAPI(lifespan=life)
                inner = APIRouter()
                inner.mount("/admin", admin)

                router = APIRouter()
                router.include_router(inner, prefix="/orders")
                """
        }
    )
    assert told(shop) == [
        f"warning [web.W003] {shop.path}/shop/orders/routes.py:8: the application that is mounted"
        " at /api/orders/admin has a lifespan, which is never run: a server starts the outermost"
        " application alone; open what it needs in a resource, or include its routers in place of"
        " mounting it"
    ]


@pytest.mark.parametrize(
    ("lines", "paths"),
    [
        (['app.mount("/one", FastAPI(lifespan=life))'], ["/one"]),
        (['app.mount("/one", FastAPI())', 'app.mount("/static", print)'], []),
        (
            ["inner = FastAPI()", "inner.include_router(APIRouter())", 'app.mount("/one", inner)'],
            [],
        ),
        (
            [
                "inner = FastAPI()",
                "inner.include_router(APIRouter(lifespan=life))",
                'app.mount("/one", inner)',
            ],
            ["/one"],
        ),
        (
            [
                "inner = FastAPI(on_startup=[print])",
                'inner.mount("/two", FastAPI(lifespan=life))',
                'app.mount("/one", inner)',
            ],
            ["/one", "/one/two"],
        ),
        (
            [
                "from starlette.middleware.gzip import GZipMiddleware",
                'app.mount("/one", GZipMiddleware(FastAPI(lifespan=life)))',
            ],
            ["/one"],
        ),
        (['app.mount("/one", get_asgi_application(app=FastAPI()))'], ["/one"]),
    ],
    ids=["own", "none", "only default ones", "of a router", "nested", "in a layer", "ours"],
)
def test_what_is_mounted_where_the_application_is_made(
    shop: ProjectFolder, lines: list[str], paths: list[str]
) -> None:
    text = "\n".join(f"    {line}" for line in ["app = FastAPI()", *lines])
    shop.write({"shop/asgi.py": f"{ASGI}\n{text}\n    get_asgi_application(app=app)\n"})
    messages = told(shop)
    assert [each.partition(" mounted at ")[2].partition(" has ")[0] for each in messages] == paths
    assert all(f"{shop.path}/shop/asgi.py:5: " in each for each in messages)


@pytest.mark.parametrize(
    ("arguments", "lost"),
    [
        ("lifespan=life", ["opens", "closes"]),
        ("", []),
    ],
)
def test_an_event_handler_beside_a_lifespan_is_told(
    shop: ProjectFolder, arguments: str, lost: list[str]
) -> None:
    shop.write(
        {
            "shop/asgi.py": ASGI
            + f"""
    app = FastAPI({arguments})

    def opens(): ...

    async def closes(): ...

    async def of_the_router(): ...

    app.router.add_event_handler("startup", opens)
    app.router.add_event_handler("shutdown", closes)
    router = APIRouter(on_startup=[of_the_router])
    app.include_router(router)
    get_asgi_application(app=app)
    """
        }
    )
    lines = {"opens": 7, "closes": 9}
    assert told(shop) == [
        f"warning [web.W004] {shop.path}/shop/asgi.py:{lines[name]}: the event handler {name} is"
        " never run: the application has a lifespan; call it in the lifespan"
        for name in lost
    ]


def test_a_project_without_an_application_of_its_own_has_nothing_to_tell(
    shop: ProjectFolder,
) -> None:
    assert told(shop) == []
