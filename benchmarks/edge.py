"""Edge: what the outermost layer adds to a request of bare FastAPI, without and with its line.

`fastforge` is a whole project, with its limits, its index of routes and what it spares FastAPI;
`edge-alone` is its edge around the bare application.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from fastforge.middleware.edge import Edge
from fastforge.observability.access import AccessLog
from fastforge.observability.lines import LineBuffer
from fastforge.observability.logging.configuration import Configuration
from fastforge.observability.logging.process import stream_of

from .baselines.access_line import AccessLine, configure
from .harness.projects import serving, write_project
from .harness.requests import Application, cpu_us_per_request
from .harness.rows import Row, arguments, compare, show

FILES = {
    "bench/settings.py": """
        from fastforge.conf import App

        ALLOWED_HOSTS = ["localhost"]
        INSTALLED_APPS = [App("bench.hello")]
        """,
    "bench/hello/__init__.py": "",
    "bench/hello/routes.py": """
        from fastapi import APIRouter

        router = APIRouter()


        @router.get("/hello")
        async def hello() -> dict[str, str]:
            return {"hello": "world"}
        """,
}


def bare() -> FastAPI:
    """Return the same router, included in an application as it is without fastforge."""
    app, router = FastAPI(), APIRouter()

    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    router.get("/hello")(hello)
    app.include_router(router)
    return app


def handwritten(lines: TextIO) -> FastAPI:
    """Return the bare application with a layer that writes a line."""
    configure(lines)
    app = bare()
    app.add_middleware(AccessLine)
    return app


def edge_of(app: FastAPI, access_log: AccessLog | None) -> Edge:
    """Return the application behind an edge that writes its lines to another place."""
    edge = app.build_middleware_stack()
    assert isinstance(edge, Edge)
    policy = replace(edge.policy, access_log=access_log, around=None)
    return Edge(edge.app, edge.state, policy)


def access_log_to(lines: TextIO) -> AccessLog:
    """Return what writes the lines of a project in production, to another place."""
    return AccessLog(stream_of(Configuration(role="web", shape="json"), LineBuffer(lines)))


def replaced(edge: Edge, app: ASGIApp) -> Edge:
    """Return an edge around another application."""
    return Edge(app, edge.state, edge.policy)


class Served:
    """A project's application with another edge: FastAPI's own call, then the edge."""

    def __init__(self, app: FastAPI, access_log: AccessLog | None) -> None:
        self.app = app
        self.edge = edge_of(app, access_log)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.app.middleware_stack = self.edge
        await self.app(scope, receive, send)


def main() -> None:
    """Print the rows, and for people what they mean."""
    options = arguments(__doc__)
    count, rounds = (200, 2) if options.quick else (2000, 20)
    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "w", encoding="utf-8") as lines,
        asyncio.Runner() as runner,
    ):
        write_project(Path(folder), FILES)
        manager = serving(Path(folder))
        _, app = runner.run(manager.__aenter__())

        def cost_of(subject: Application) -> Callable[[], float]:
            return lambda: runner.run(cpu_us_per_request(subject, "GET", "/hello", count=count))

        bare_cost = cost_of(bare())
        layer = Served(app, None)
        alone = bare()
        alone.middleware_stack = replaced(layer.edge, alone.build_middleware_stack())
        logged = Served(app, access_log_to(lines))
        cases = {
            "edge-layer": {
                "fastforge": cost_of(layer),
                "edge-alone": cost_of(alone),
                "fastapi": bare_cost,
            },
            "edge-layer-logged": {
                "fastforge": cost_of(logged),
                "handwritten": cost_of(handwritten(lines)),
                "fastapi": bare_cost,
            },
        }
        for case, subjects in cases.items():
            rows = compare(
                benchmark="edge", case=case, subjects=subjects, against="fastapi", rounds=rounds
            )
            shown = list(rows)
            show(iter(shown), as_json=options.json)
            if not options.json:
                explain(shown)
        runner.run(manager.__aexit__(None, None, None))


def explain(rows: list[Row]) -> None:
    """Print what each subject adds to bare FastAPI, and fastforge's part of the hand-written."""
    added = {row.subject: row.value - row.value / row.ratio for row in rows}
    for subject, us in added.items():
        print(f"{'':10} {subject} adds {us:.1f} us")
    if "handwritten" in added:
        print(f"{'':10} which is {added['fastforge'] / added['handwritten']:.2f} of handwritten")


if __name__ == "__main__":
    main()
