"""A project becomes a FastAPI application; one that exists already becomes a project's."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.types import Message

from fastforge.asgi import get_asgi_application
from fastforge.exceptions import ComponentError, ForgeError, StartError
from fastforge.lifecycle import current_container
from tests.commanding import python, start
from tests.folder import ProjectFolder, isolated
from tests.processes import fetch, free_port, wait_until

UUID_7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

RESOURCES = """
    from fastforge.lifecycle import provide, resource
    from typing import Annotated

    log = []

    @resource
    async def greeting():
        log.append("ours up")
        print("opened greeting", flush=True)
        yield "hello"
        log.append("ours down")
        print("closed greeting", flush=True)

    Greeting = Annotated[str, provide(greeting)]
    """

SHOP = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/settings.py": """
        from fastforge.conf import App

        INSTALLED_APPS = [App("shop.orders", prefix="/api")]
        """,
    "shop/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application()
        """,
    "shop/orders/resources.py": RESOURCES,
    "shop/orders/routes.py": """
        from fastapi import APIRouter
        from .resources import Greeting

        router = APIRouter(prefix="/orders")

        @router.get("/greet")
        async def greet(greeting: Greeting) -> str:
            return greeting

        @router.get("/boom")
        async def boom() -> None:
            raise ValueError("inside")
        """,
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


def log_of_resources() -> list[str]:
    log: list[str] = sys.modules["shop.orders.resources"].log
    return log


# --- what it is ----------------------------------------------------------------------------------


def test_the_application_is_a_fastapi_with_the_projects_name_and_schema(
    shop: ProjectFolder,
) -> None:
    app = get_asgi_application(shop.load())
    assert isinstance(app, FastAPI)
    assert app.title == "shop"
    assert list(app.openapi()["paths"]) == ["/api/orders/greet", "/api/orders/boom"]


def test_routes_find_the_projects_resources(shop: ProjectFolder) -> None:
    with TestClient(get_asgi_application(shop.load())) as client:
        assert client.get("/api/orders/greet").json() == "hello"
    assert log_of_resources() == ["ours up", "ours down"]


def test_an_application_may_be_started_again(shop: ProjectFolder) -> None:
    app = get_asgi_application(shop.load())
    for _ in range(2):
        with TestClient(app) as client:
            assert client.get("/api/orders/greet").json() == "hello"


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/api/orders/greet", "GET", 200),
        ("/api/orders/greet", "POST", 405),
        ("/api/orders/boom", "GET", 500),
        ("/nowhere", "GET", 404),
    ],
)
def test_every_answer_carries_a_request_id(
    shop: ProjectFolder, path: str, method: str, status: int
) -> None:
    with TestClient(get_asgi_application(shop.load()), raise_server_exceptions=False) as client:
        answer = client.request(method, path, headers={"x-request-id": "forged"})
    assert answer.status_code == status
    assert UUID_7.fullmatch(answer.headers["x-request-id"])


def test_a_handler_without_a_started_lifespan_is_told_what_is_missing(
    shop: ProjectFolder,
) -> None:
    client = TestClient(get_asgi_application(shop.load()))
    with pytest.raises(ForgeError, match="no project runs here"):
        client.get("/api/orders/greet")


# --- an application that exists ------------------------------------------------------------------


def adopted(shop: ProjectFolder, app: FastAPI) -> FastAPI:
    assert get_asgi_application(shop.load(), app=app) is app
    return app


def test_lifespans_of_an_existing_application_run_inside_ours(shop: ProjectFolder) -> None:
    app = FastAPI()

    async def up() -> None:
        log_of_resources().append("event up")

    async def down() -> None:
        log_of_resources().append("event down")

    app.router.add_event_handler("startup", up)  # what `@app.on_event` does
    app.router.add_event_handler("shutdown", down)

    @asynccontextmanager
    async def router_lifespan(app: FastAPI) -> AsyncIterator[None]:
        log_of_resources().append(f"router up with {len(current_container().resources)}")
        yield
        log_of_resources().append("router down")

    adopted(shop, app)
    app.include_router(APIRouter(lifespan=router_lifespan))
    with TestClient(app):
        pass
    assert log_of_resources() == [
        "ours up", "event up", "router up with 6", "router down", "event down", "ours down",
    ]  # fmt: skip


def test_state_that_an_existing_lifespan_yields_reaches_its_handlers(shop: ProjectFolder) -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        yield {"model": "small"}

    app = FastAPI(lifespan=lifespan)

    @app.get("/model")
    async def model(request: Request) -> list[str]:
        return [request.state.model, request.state.request_id]

    with TestClient(adopted(shop, app)) as client:
        answer = client.get("/model")
    assert answer.json() == ["small", answer.headers["x-request-id"]]


def test_the_server_finds_the_container_beside_the_users_lifespan_state(
    shop: ProjectFolder,
) -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        yield {"model": "small"}

    with TestClient(adopted(shop, FastAPI(lifespan=lifespan))) as client:
        container = client.app_state.pop("fastforge")
        assert (container.role, client.app_state) == ("web", {"model": "small"})


async def test_a_server_that_keeps_no_state_is_served_as_well(shop: ProjectFolder) -> None:
    told: list[str] = []
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Message:
        return {"type": next(messages)}

    async def send(message: Message) -> None:
        told.append(message["type"])

    await get_asgi_application(shop.load())({"type": "lifespan"}, receive, send)
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_routes_handlers_and_late_middleware_of_an_existing_application_stay(
    shop: ProjectFolder,
) -> None:
    app = FastAPI()

    @app.get("/old")
    def old() -> str:
        return f"old with {current_container().role}"

    @app.exception_handler(ValueError)
    async def teapot(request: Request, error: Exception) -> Any:
        from starlette.responses import PlainTextResponse

        return PlainTextResponse("short and stout", 418)

    adopted(shop, app)

    @app.middleware("http")
    async def late(request: Request, call_next: Any) -> Any:
        answer = await call_next(request)
        answer.headers["late"] = "yes"
        return answer

    with TestClient(app) as client:
        answer = client.get("/old")
        assert (answer.json(), answer.headers["late"]) == ("old with web", "yes")
        assert client.get("/api/orders/boom").status_code == 418
        assert client.get("/api/orders/greet").json() == "hello"


def test_an_application_that_has_answered_is_refused_in_one_line(shop: ProjectFolder) -> None:
    app = FastAPI(title="old shop")
    TestClient(app).get("/")
    with pytest.raises(ComponentError, match="'old shop' has answered requests already") as caught:
        get_asgi_application(shop.load(), app=app)
    assert caught.value.code == "web.E006"


def test_what_cannot_become_the_projects_application_is_refused_in_one_line(
    shop: ProjectFolder,
) -> None:
    app: Any = FastAPI(title="old shop")
    with pytest.raises(
        ComponentError,
        match=r"test_application\.py:\d+: .*is no project; write get_asgi_application\(app=app",
    ):
        get_asgi_application(app)
    name: Any = "shop.settings"
    with pytest.raises(ComponentError, match=r"is no project; .*\(settings_module='shop.settings"):
        get_asgi_application(name)
    with pytest.raises(ComponentError, match="a Starlette is no FastAPI; mount it in one"):
        get_asgi_application(shop.load(), app=Starlette())  # type: ignore[arg-type]
    get_asgi_application(shop.load(), app=app)
    with pytest.raises(ComponentError, match="'old shop' is the project's already; call it once"):
        get_asgi_application(shop.load(), app=app)


def test_a_route_of_an_existing_application_may_not_be_hidden(shop: ProjectFolder) -> None:
    app = FastAPI()

    @app.get("/api/orders/greet")
    def old_greet() -> None: ...

    with pytest.raises(ComponentError, match="declared twice") as caught:
        get_asgi_application(shop.load(), app=app)
    line = str(caught.value)
    assert "old_greet" in line
    assert "test_application.py:" in line
    assert "shop.orders.routes.greet" in line


# --- two projects --------------------------------------------------------------------------------


def mounted(shop: ProjectFolder) -> tuple[FastAPI, FastAPI]:
    inner = get_asgi_application(shop.load())

    @inner.get("/who")
    async def who() -> str:
        return f"{id(current_container())}"

    outer = get_asgi_application(shop.load(), app=FastAPI())
    outer.mount("/inner", inner)
    outer.add_api_route("/who", who)
    return outer, inner


def test_a_mounted_application_that_is_not_started_uses_the_outer_container(
    shop: ProjectFolder,
) -> None:
    outer, _ = mounted(shop)
    with TestClient(outer) as client:
        assert client.get("/inner/who").json() == client.get("/who").json()
        assert client.get("/inner/api/orders/greet").json() == "hello"


def test_a_mounted_application_that_is_started_uses_its_own_container(
    shop: ProjectFolder,
) -> None:
    outer, inner = mounted(shop)
    with TestClient(inner) as inside, TestClient(outer) as client:
        own = inside.get("/who").json()
        answer = client.get("/inner/who")
        assert answer.json() == own != client.get("/who").json()
    assert len(answer.headers.get_list("x-request-id")) == 1


# --- a start that fails --------------------------------------------------------------------------

FAILING = {
    "shop/orders/resources.py": RESOURCES
    + """
    from fastforge.exceptions import ResourceUnavailable

    @resource(needs=[greeting])
    async def cellar():
        raise ResourceUnavailable("the cellar is flooded", code="shop.E001", hint="pump")
        yield
    """
}
HANGING = {
    "shop/orders/resources.py": RESOURCES
    + """
    import asyncio

    @resource(needs=[greeting], start_timeout_s=3600)
    async def cellar():
        print("hanging", flush=True)
        await asyncio.sleep(3600)
        yield
    """
}
LINE = "[shop.E001] the cellar is flooded; pump\n"
DEVELOPMENT = {"FASTFORGE_ENV": "development"}

PROGRAM = """
    import sys
    from fastforge.server.serve import bind, serve
    sys.exit(serve("shop.asgi:app", bind("127.0.0.1", int(sys.argv[1]))))
    """


def test_a_failing_start_raises_in_the_test_client(shop: ProjectFolder) -> None:
    shop.write(FAILING)
    app = get_asgi_application(shop.load(DEVELOPMENT))
    with pytest.raises(StartError, match="flooded"), TestClient(app):
        pass
    assert log_of_resources() == ["ours up", "ours down"]


def test_a_failing_start_is_one_line_and_code_3_under_our_server(shop: ProjectFolder) -> None:
    shop.write(FAILING | {"program.py": PROGRAM})
    ended = python(["program.py", str(free_port())], cwd=shop.path, env=DEVELOPMENT)
    assert ended.returncode == 3
    assert ended.stderr == f"error: {LINE}"
    assert ended.stdout == "opened greeting\nclosed greeting\n"


def test_a_failing_start_shows_no_traceback_under_plain_uvicorn(shop: ProjectFolder) -> None:
    shop.write(FAILING)
    argv = ["-m", "uvicorn", "shop.asgi:app", "--port", str(free_port()), "--log-level", "error"]
    ended = python(argv, cwd=shop.path, env=DEVELOPMENT)
    assert ended.returncode == 3
    assert ended.stderr.count(LINE) == 1
    assert "Traceback" not in ended.stderr


def test_sigterm_cancels_a_hanging_start_and_closes_what_was_opened(shop: ProjectFolder) -> None:
    shop.write(HANGING | {"program.py": PROGRAM})
    argv = [sys.executable, "program.py", str(free_port())]
    with start(argv, cwd=shop.path) as server:
        server.wait_for("hanging")
        server.terminate()
        assert server.wait() == 0
        assert server.output == "opened greeting\nhanging\nclosed greeting\n"


# --- a stock server ------------------------------------------------------------------------------


def test_a_project_runs_under_plain_uvicorn(shop: ProjectFolder) -> None:
    port = free_port()
    argv = [sys.executable, "-m", "uvicorn", "shop.asgi:app", "--port", str(port)]
    with start(argv, cwd=shop.path, env=DEVELOPMENT) as server:
        url = f"http://127.0.0.1:{port}/api/orders/greet"
        answer = wait_until(lambda: fetch(url), describe=server)
        assert (answer.status, answer.body) == (200, '"hello"')
        server.terminate()
        server.wait()
        assert "closed greeting" in server.output


@pytest.mark.parametrize(
    ("hosts", "environment", "host", "status"),
    [
        ('["shop.example"]', "production", "shop.example", 200),
        ('["shop.example"]', "production", "evil.example", 400),
        ('["*.example"]', "production", "any.example", 200),
        ('["*"]', "production", "evil.example", 200),
        ('["shop.example"]', "test", "testserver", 200),
        ('["shop.example"]', "production", "testserver", 400),
    ],
)
def test_only_allowed_hosts_are_answered(
    hosts: str, environment: str, host: str, status: int, tmp_path: Path
) -> None:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": f"ALLOWED_HOSTS = {hosts}\nDOCS = True\n"})
        app = get_asgi_application(folder.load({"FASTFORGE_ENV": environment}))
        with TestClient(app) as client:
            assert client.get("/openapi.json", headers={"host": host}).status_code == status
