"""Plain functions that each request pays a thread for are told."""

from __future__ import annotations

from pathlib import Path

from fastforge.checks import run_checks
from tests.folder import isolated

ROUTES = """
    import functools
    from typing import Annotated

    from fastapi import APIRouter, Depends
    from fastapi.security import HTTPBearer

    def inner() -> int:
        return 1

    def page(number: Annotated[int, Depends(inner)]) -> int:
        return number

    async def quick() -> int:
        return 1

    class Filter:
        def __init__(self, words: str = "") -> None: ...

    class Reader:
        async def __call__(self) -> int:
            return 1

    def logged(function):
        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            return await function(*args, **kwargs)
        return wrapper

    router = APIRouter(dependencies=[Depends(HTTPBearer(auto_error=False))])
    inner_router = APIRouter()

    @inner_router.get("/one")
    def one(page: Annotated[int, Depends(page)]) -> int:
        return page

    @router.get("/two")
    @logged
    async def two(
        page: Annotated[int, Depends(page)],
        quick: Annotated[int, Depends(quick)],
        words: Annotated[Filter, Depends()],
        read: Annotated[int, Depends(Reader())],
    ) -> int:
        return page

    router.include_router(inner_router)
    """


def messages_of(tmp_path: Path, settings: str, routes: str) -> list[str]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": settings, "shop/orders/routes.py": routes})
        return [
            str(message).replace(f"{tmp_path}/", "")
            for message in run_checks(folder.load(), tags=["async"])
        ]


def test_each_is_told_once_with_its_place_and_what_it_costs(tmp_path: Path) -> None:
    """Of security classes and callable objects that are awaited nothing is said."""
    settings = """
        from fastforge.core.settings import Server

        INSTALLED_APPS = ["shop.orders"]
        SERVER = Server(threads=7)
        """
    waits = "is no async def: each request waits for one of 7 threads"
    assert messages_of(tmp_path, settings, ROUTES) == [
        *(
            f"warning [web.W002] shop/orders/routes.py:{line}: the dependency {name} of the async"
            f" handler two {waits}, at about 0.2 ms of CPU; {cure}"
            for name, line, cure in (
                ("inner", 7, "write async def; what blocks in it goes into await offload(...)"),
                ("page", 10, "write async def; what blocks in it goes into await offload(...)"),
                ("Filter", 16, "depend on an async def that returns it"),
            )
        ),
        "info [web.I001] shop/orders/routes.py:32: the handler one is a plain def, and runs in one"
        " of 7 threads; write async def, unless it blocks",
    ]


def test_a_dependency_of_plain_handlers_alone_is_no_warning(tmp_path: Path) -> None:
    routes = ROUTES.replace("async def two", "def two").replace("    @logged\n", "")
    found = messages_of(tmp_path, 'INSTALLED_APPS = ["shop.orders"]', routes)
    assert {message.partition(" shop")[0] for message in found} == {
        "info [web.I001]",
        "info [web.I002]",
    }


def test_socket_handlers_count_as_well(tmp_path: Path) -> None:
    routes = """
        from typing import Annotated

        from fastapi import APIRouter, Depends, WebSocket

        def tables():
            yield 1

        router = APIRouter()

        @router.websocket("/feed")
        async def feed(socket: WebSocket, tables: Annotated[int, Depends(tables)]) -> None: ...
        """
    [message] = messages_of(tmp_path, 'INSTALLED_APPS = ["shop.orders"]', routes)
    assert "the dependency tables of the async handler feed" in message
