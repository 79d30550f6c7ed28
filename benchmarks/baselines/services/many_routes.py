"""Two hundred routes in twenty routers, for an application of FastAPI."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

ROUTERS = 20
ROUTES = 10


def add_many_routes(app: FastAPI) -> None:
    """Add them."""
    for number in range(ROUTERS):
        router = APIRouter(prefix=f"/app{number}")
        for route in range(ROUTES):

            async def show(item: int) -> dict[str, int]:
                return {"item": item}

            router.get(f"/things{route}/{{item}}", name=f"things_{route}")(show)
        app.include_router(router)
