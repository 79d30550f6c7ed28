"""What is opened and closed around the requests, in which order, and what a failure leaves."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.processes import free_port, run, wait_until

from .site import Site, runserver, serving, write

SETTINGS = """
    INSTALLED_APPS = ["shop.orders"]
    """

RESOURCES = """
    from fastforge import resource

    @resource
    async def cellar():
        print("cellar up", flush=True)
        yield []
        print("cellar down", flush=True)

    @resource(needs=[cellar])
    async def shelf():
        print("shelf up", flush=True)
        yield []
        print("shelf down", flush=True)
    """

LIVES = """
    from contextlib import asynccontextmanager

    def life(name, **state):
        @asynccontextmanager
        async def lifespan(app):
            print(f"{name} up", flush=True)
            try:
                yield {**state, "last": name}
            finally:
                print(f"{name} down", flush=True)

        return lifespan
    """

ROUTES = """
    from typing import Annotated

    from fastapi import APIRouter, Request

    from fastforge import provide
    from shop.lives import life
    from shop.orders.resources import cellar, shelf

    inner = APIRouter(prefix="/inner", lifespan=life("inner router", inner=1))
    router = APIRouter(lifespan=life("router", count=1, kept=[]))
    other = APIRouter(prefix="/other", lifespan=life("other router"))
    router.include_router(inner)

    @router.get("/ready")
    async def ready(cellar: Annotated[list, provide(cellar)]):
        return {"cellar": cellar}

    @router.get("/state")
    async def state(request: Request):
        names = ("count", "inner", "outer")
        values = {name: getattr(request.state, name, None) for name in names}
        request.state.count += 1
        request.state.kept.append(1)
        request.app.state.kept = getattr(request.app.state, "kept", 0) + 1
        return {**values, "kept": len(request.state.kept), "app": request.app.state.kept}

    @router.get("/open")
    async def open_one():
        return {}

    @inner.get("/hello")
    async def hello():
        return {}

    @other.get("/hello")
    async def hello_other():
        return {}
    """

ASGI = """
    from fastapi import APIRouter, FastAPI

    from fastforge.asgi import get_asgi_application
    from shop.lives import life

    app = FastAPI(lifespan=life("app", outer=1))
    mounted = FastAPI(lifespan=life("mounted"))

    @mounted.get("/hello")
    async def hello():
        return {}

    app.mount("/mounted", mounted)
    app.router.add_event_handler("startup", lambda: print("event up", flush=True))
    get_asgi_application(app=app)
    """

SHOP: Mapping[str, str] = {
    "shop/settings.py": SETTINGS,
    "shop/lives.py": LIVES,
    "shop/asgi.py": ASGI,
    "shop/orders/__init__.py": "",
    "shop/orders/resources.py": RESOURCES,
    "shop/orders/routes.py": ROUTES,
}

OPENING = [
    "cellar up", "shelf up", "app up", "router up", "inner router up", "other router up",
]  # fmt: skip
CLOSING = [each.replace(" up", " down") for each in reversed(OPENING)]


def steps(output: str) -> list[str]:
    """What was opened and closed, in its order."""
    lines = output.splitlines()
    said = [json.loads(line)["event"] if line.startswith("{") else line for line in lines]
    return [event for event in said if event.endswith((" up", " down"))]


def stopped(site: Site) -> int:
    site.process.terminate()
    return site.process.wait()


def test_the_lifespans_open_from_the_outside_and_close_in_reverse(tmp_path: Path) -> None:
    """The project's resources around the application, around its routers, around theirs."""
    with serving(tmp_path, SHOP) as site:
        wait_until(lambda: steps(site.process.output) == OPENING, describe=site.process)
        assert site.get("/mounted/hello").status == 200
        assert stopped(site) == 0
        assert steps(site.process.output) == [*OPENING, *CLOSING]
        assert "Traceback" not in site.process.output


def test_each_request_has_a_shallow_copy_of_the_states_of_all_lifespans(tmp_path: Path) -> None:
    with serving(tmp_path, SHOP) as site:
        first, second = site.get("/state").json, site.get("/state").json
    assert first == {"count": 1, "inner": 1, "outer": 1, "kept": 1, "app": 1}
    assert second == {"count": 1, "inner": 1, "outer": 1, "kept": 2, "app": 2}


def test_what_is_mounted_and_what_is_beside_a_lifespan_is_not_started_and_told(
    tmp_path: Path,
) -> None:
    folder = write(tmp_path, SHOP)
    argv = [sys.executable, "-m", "fastforge", "check"]
    told = run(argv, cwd=folder.path, env={"FASTFORGE_ENV": "production"})
    assert told.returncode == 0
    assert "[web.W003] shop/asgi.py:6: the application that is mounted at /mounted " in told.stdout
    assert "[web.W004] shop/asgi.py:14: the event handler " in told.stdout


# --- failures ------------------------------------------------------------------------------------

FAILS_TO_CLOSE = """
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def failing(app):
        print("failing up", flush=True)
        yield
        print("failing down", flush=True)
        raise RuntimeError("the door is jammed")
    """


def test_a_router_that_fails_to_close_keeps_nothing_else_open(tmp_path: Path) -> None:
    routes = ROUTES.replace('lifespan=life("inner router", inner=1)', "lifespan=failing")
    files = {
        "shop/failing.py": FAILS_TO_CLOSE,
        "shop/orders/routes.py": f"    from shop.failing import failing\n{routes}",
    }
    with serving(tmp_path, {**SHOP, **files}) as site:
        code = stopped(site)
        expected = [each.replace("inner router", "failing") for each in CLOSING]
        assert steps(site.process.output)[len(OPENING) :] == expected
        assert "the door is jammed" in site.process.output
    assert code == 0, "it was told to stop and has stopped"


def test_a_resource_that_fails_to_close_keeps_nothing_else_open(tmp_path: Path) -> None:
    failing = RESOURCES.replace(
        'print("shelf down", flush=True)',
        'print("shelf down", flush=True)\n        raise RuntimeError("the door is jammed")',
    )
    with serving(tmp_path, {**SHOP, "shop/orders/resources.py": failing}) as site:
        assert stopped(site) == 0
        assert steps(site.process.output) == [*OPENING, *CLOSING]
        assert "the door is jammed" in site.process.output


FAILS_TO_OPEN = """
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def failing(app):
        raise RuntimeError("the door is locked")
        yield
    """


def test_a_router_that_fails_to_open_ends_the_process_with_everything_closed(
    tmp_path: Path,
) -> None:
    routes = ROUTES.replace('lifespan=life("other router")', "lifespan=failing")
    files = {
        "shop/failing.py": FAILS_TO_OPEN,
        "shop/orders/routes.py": f"    from shop.failing import failing\n{routes}",
    }
    folder = write(tmp_path, {**SHOP, **files})
    with runserver(folder.path, free_port()) as process:
        assert process.wait() == 3
        assert steps(process.output) == [*OPENING[:-1], *CLOSING[1:]]
        assert "RuntimeError: the door is locked" in process.output


def test_a_resource_that_fails_to_open_is_one_line_and_code_3(tmp_path: Path) -> None:
    failing = RESOURCES.replace('print("shelf up", flush=True)', 'raise OSError("no shelf")')
    folder = write(tmp_path, {**SHOP, "shop/orders/resources.py": failing})
    settings = f"{SETTINGS}\n    SERVER = {{'start_deadline_s': 0}}\n"
    folder.write({"shop/settings.py": settings})
    with runserver(folder.path, free_port()) as process:
        assert process.wait() == 3
        assert steps(process.output) == ["cellar up", "cellar down"]
        assert "no shelf" in process.output
        assert "Traceback" not in process.output


# --- in tests ------------------------------------------------------------------------------------

IN_TESTS = """
    import pytest
    from fastapi.testclient import TestClient

    from fastforge.exceptions import ContainerMissing
    from fastforge.test import client
    from shop.asgi import app

    async def test_our_client_starts_the_application(capsys):
        async with client(app) as http:
            assert (await http.get("/ready")).json() == {"cellar": []}
        print("ended")
        print(capsys.readouterr().out, end="")

    def test_a_client_that_starts_nothing_is_told_why():
        with pytest.raises(ContainerMissing, match="no project runs here"):
            TestClient(app, base_url="http://localhost").get("/ready")
    """


def test_the_client_of_the_tests_runs_the_lifespans(tmp_path: Path) -> None:
    folder = write(tmp_path, {**SHOP, "tests/test_shop.py": IN_TESTS})
    folder.write(
        {
            "pyproject.toml": """
                [tool.fastforge]
                settings = "shop.settings"
                [tool.pytest.ini_options]
                anyio_mode = "auto"
                """
        }
    )
    ended = run([sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:asyncio"], cwd=folder.path)
    assert ended.returncode == 0, ended.stdout
    assert steps(ended.stdout) == [*OPENING, *CLOSING]
