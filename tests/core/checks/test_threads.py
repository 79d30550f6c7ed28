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


def test_each_is_told_once_with_its_place(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]',
                "shop/orders/routes.py": ROUTES,
            }
        )
        messages = [
            str(message).replace(f"{tmp_path}/", "")
            for message in run_checks(folder.load(), tags=["web"])
        ]
    assert [message.partition(";")[0] for message in messages] == [
        "info [web.I001] shop/orders/routes.py:32: the handler one is a plain def, and runs in one"
        " of 40 threads",
        *(
            f"info [web.I002] shop/orders/routes.py:{line}: the dependency {name} is no async def:"
            " each request waits for one of 40 threads"
            for name, line in (("inner", 7), ("page", 10), ("Filter", 16))
        ),
    ]
