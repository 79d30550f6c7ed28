"""The edge gives an id and a container to everything that runs for a request or a socket."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.types import Message
from websockets.sync.client import connect

from fastforge.asgi import get_asgi_application
from fastforge.lifecycle import current_container
from fastforge.middleware.edge import Edge, EdgeState
from fastforge.observability.context import new_request_id, request_id
from tests.commanding import start
from tests.folder import ProjectFolder, isolated
from tests.processes import free_port, wait_until

Seen = list[tuple[str, str | None]]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        yield folder


def note(seen: Seen, place: str) -> None:
    assert current_container().role == "web"
    seen.append((place, request_id.get()))


def application(seen: Seen) -> FastAPI:
    """Return an application that notes the id in every place that user code can stand in."""
    app = FastAPI()

    def sync_dependency() -> None:
        note(seen, "sync dependency")

    async def generator() -> AsyncIterator[None]:
        note(seen, "async dependency")
        yield
        note(seen, "its exit")

    in_sync_dependency, in_generator = Depends(sync_dependency), Depends(generator)

    async def async_background() -> None:
        note(seen, "async background")

    @app.get("/async")
    async def in_async(
        tasks: BackgroundTasks, one: None = in_sync_dependency, two: None = in_generator
    ) -> None:
        note(seen, "async handler")
        tasks.add_task(note, seen, "sync background")
        tasks.add_task(async_background)

    @app.get("/sync")
    def in_sync(one: None = in_generator) -> None:
        note(seen, "sync handler")

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, one: None = in_sync_dependency) -> None:
        await websocket.accept()
        note(seen, "socket")
        await websocket.send_text(str(request_id.get()))
        await websocket.close()

    inner = FastAPI()

    @inner.get("/handler")
    async def in_mount() -> None:
        note(seen, "mount")

    app.mount("/mount", inner)
    return app


@pytest.mark.parametrize(
    ("path", "places"),
    [
        ("/async", ["sync dependency", "async dependency", "async handler", "its exit",
                    "sync background", "async background"]),
        ("/sync", ["async dependency", "sync handler", "its exit"]),
        ("/mount/handler", ["mount"]),
    ],
)  # fmt: skip
def test_the_id_and_the_container_are_there_in_every_place(
    shop: ProjectFolder, path: str, places: list[str]
) -> None:
    seen: Seen = []
    with TestClient(get_asgi_application(shop.load(), app=application(seen))) as client:
        answer = client.get(path)
    assert sorted(place for place, _ in seen) == sorted(places)
    assert {each for _, each in seen} == {answer.headers["x-request-id"]}


def test_a_socket_has_an_id_and_tells_it_in_the_handshake(shop: ProjectFolder) -> None:
    seen: Seen = []
    app = get_asgi_application(shop.load(), app=application(seen))
    with TestClient(app) as client, client.websocket_connect("/socket") as session:
        told = session.receive_text()
        headers = dict(session.extra_headers or ())
    assert headers[b"x-request-id"].decode() == told
    assert seen == [("sync dependency", told), ("socket", told)]


def test_a_handshake_over_the_wire_carries_the_id(shop: ProjectFolder) -> None:
    shop.write(
        {
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
            "shop/asgi.py": """
                from fastapi import FastAPI, WebSocket
                from fastforge.asgi import get_asgi_application

                app = FastAPI()

                @app.websocket("/socket")
                async def socket(websocket: WebSocket) -> None:
                    await websocket.accept()
                    await websocket.send_text(websocket.state.request_id)
                    await websocket.close()

                get_asgi_application(app=app)
                """,
            "program.py": """
                import sys
                from fastforge.server.serve import bind, serve
                sys.exit(serve("shop.asgi:app", bind("127.0.0.1", int(sys.argv[1]))))
                """,
        }
    )
    port = free_port()
    with start([sys.executable, "program.py", str(port)], cwd=shop.path) as server:
        session = wait_until(lambda: _connected(port), describe=server)
        with session:
            assert session.response is not None
            assert session.response.headers["x-request-id"] == session.recv()


def _connected(port: int) -> Any:
    try:
        return connect(f"ws://127.0.0.1:{port}/socket")
    except OSError:
        return None


def test_requests_at_the_same_time_have_ids_of_their_own(shop: ProjectFolder) -> None:
    seen: Seen = []

    async def ask_twice() -> None:
        both = asyncio.Barrier(2)

        async def inner(scope: Any, receive: Any, send: Any) -> None:
            before = request_id.get()
            await both.wait()
            assert request_id.get() == before == scope["state"]["request_id"]
            seen.append(("request", before))

        edge = Edge(inner, EdgeState())
        scopes: list[Any] = [{"type": "http"}, {"type": "http"}]
        await asyncio.gather(*(edge(scope, _nothing, _drop) for scope in scopes))

    asyncio.run(ask_twice())
    assert len({each for _, each in seen}) == 2
    assert request_id.get() is None


async def test_an_id_that_the_application_sets_is_replaced() -> None:
    sent: list[Message] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"x-request-id", b"older"), (b"etag", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def collect(message: Message) -> None:
        sent.append(message)

    scope: Any = {"type": "http"}
    await Edge(inner, EdgeState())(scope, _nothing, collect)
    expected = scope["state"]["request_id"].encode()
    assert sent[0]["headers"] == [(b"etag", b"1"), (b"x-request-id", expected)]


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _drop(message: Message) -> None:
    pass


def test_ids_are_uuids_of_version_7_and_differ() -> None:
    import uuid

    made = [new_request_id() for _ in range(1000)]
    parsed = [uuid.UUID(each) for each in made]
    assert {(each.version, each.variant) for each in parsed} == {(7, uuid.RFC_4122)}
    assert [str(each) for each in parsed] == made
    assert len(set(made)) == len(made)
    assert [each[:13] for each in made] == sorted(each[:13] for each in made)
