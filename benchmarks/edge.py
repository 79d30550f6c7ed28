"""Edge: what the outermost layer adds to a request of bare FastAPI."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from fastapi import APIRouter, FastAPI

from .harness.projects import serving, write_project
from .harness.requests import cpu_us_per_request
from .harness.rows import arguments, compare, show

FILES = {
    "bench/settings.py": """
        from fastforge.conf import App

        ALLOWED_HOSTS = ["*"]
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


def main() -> None:
    """Print the row."""
    options = arguments(__doc__)
    count, rounds = (200, 2) if options.quick else (2000, 20)
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        write_project(Path(folder), FILES)
        manager = serving(Path(folder))
        _, app = runner.run(manager.__aenter__())
        plain = bare()
        subjects = {
            "fastforge": lambda: runner.run(cpu_us_per_request(app, "GET", "/hello", count=count)),
            "fastapi": lambda: runner.run(cpu_us_per_request(plain, "GET", "/hello", count=count)),
        }
        rows = compare(
            benchmark="edge", case="edge-layer", subjects=subjects, against="fastapi", rounds=rounds
        )
        show(rows, as_json=options.json)
        runner.run(manager.__aexit__(None, None, None))


if __name__ == "__main__":
    main()
