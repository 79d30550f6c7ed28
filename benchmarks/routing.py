"""Routing: the last of 200 routes, on ours and on stock FastAPI, and what it costs above the first.

The subject `fastforge` is the last route on ours, `fastforge-first` the first, both against the
last one on stock FastAPI; `fastapi-first` is stock FastAPI's first. The CPU time that the last
costs above the first is the difference of two rows of one case, whose rounds are interleaved.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, FastAPI

from .harness.projects import serving, write_project
from .harness.requests import Application, cpu_us_per_request
from .harness.rows import arguments, compare, show

APPS = 20
ROUTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A way to prefix the routes of all apps.

    Args:
        name: Of the rows.
        prefix: Stands before the routes of every app.
        said: What a request has there.
    """

    name: str
    prefix: str
    said: str

    def path(self, app: int, route: int) -> str:
        """Return the path of a request."""
        return f"{self.said}/app{app}/things{route}/7"


CASES = (
    Case(name="routing-200", prefix="", said=""),
    Case(name="routing-200-shared-prefix", prefix="/api/v1", said="/api/v1"),
    Case(name="routing-200-parameter-prefix", prefix="/orgs/{org}", said="/orgs/acme"),
)


def router_of(number: int) -> APIRouter:
    """Return the routes of one app: the same ones in both subjects."""
    router = APIRouter(prefix=f"/app{number}")
    for route in range(ROUTES):

        async def handler(item: int) -> dict[str, int]:
            return {"item": item}

        router.add_api_route(f"/things{route}/{{item}}", handler, name=f"things_{route}")
    return router


def stock(case: Case) -> FastAPI:
    """Return all routes in an application as it is without fastforge."""
    app = FastAPI()
    for number in range(APPS):
        app.include_router(router_of(number), prefix=case.prefix)
    return app


def files(case: Case) -> dict[str, str]:
    """Return a project with as many apps."""
    apps = ", ".join(f'App("bench.app{n}", prefix="{case.prefix}")' for n in range(APPS))
    settings = f'from fastforge.conf import App\n\nALLOWED_HOSTS = ["*"]\nINSTALLED_APPS = [{apps}]'
    written = {"bench/settings.py": settings}
    for number in range(APPS):
        written[f"bench/app{number}/__init__.py"] = ""
        written[f"bench/app{number}/routes.py"] = (
            f"from benchmarks.routing import router_of\n\nrouter = router_of({number})\n"
        )
    return written


def measure(case: Case, ours: FastAPI, *, count: int, rounds: int, as_json: bool) -> None:
    """Print the rows of a case."""
    last = case.path(APPS - 1, ROUTES - 1)
    plain = stock(case)

    def cost(app: Application, path: str) -> Callable[[], float]:
        return lambda: asyncio.run(cpu_us_per_request(app, "GET", path, count=count))

    subjects = {
        "fastforge": cost(ours, last),
        "fastforge-first": cost(ours, case.path(0, 0)),
        "fastapi-first": cost(plain, case.path(0, 0)),
        "fastapi": cost(plain, last),
    }
    rows = compare(
        benchmark="routing", case=case.name, subjects=subjects, against="fastapi", rounds=rounds
    )
    show(rows, as_json=as_json)


def main() -> None:
    """Print the rows."""
    options = arguments(__doc__ or "")
    count, rounds = (50, 2) if options.quick else (500, 20)
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
            write_project(Path(folder), files(case))
            manager = serving(Path(folder), environment="test")
            _, app = runner.run(manager.__aenter__())
            measure(case, app, count=count, rounds=rounds, as_json=options.json)
            runner.run(manager.__aexit__(None, None, None))


if __name__ == "__main__":
    main()
