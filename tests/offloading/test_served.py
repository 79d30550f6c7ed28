"""Real servers: many calls at once, and a stop while functions run."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.commanding import start
from tests.folder import ProjectFolder
from tests.processes import fetch, free_port, wait_until

FILES = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/settings.py": 'INSTALLED_APPS = ["shop"]\n',
    "shop/asgi.py": """
        from fastforge import get_asgi_application

        app = get_asgi_application()
        """,
    "shop/routes.py": """
        import dataclasses
        import threading
        from fastapi import APIRouter
        from fastforge import offload
        from fastforge.offloading import offload_gauges

        router = APIRouter()
        door = threading.Event()

        @router.get("/wait")
        async def wait() -> bool:
            return await offload(door.wait)

        @router.get("/gauges")
        async def gauges() -> dict[str, int]:
            return dataclasses.asdict(offload_gauges().threads)

        @router.get("/open")
        async def open_door() -> None:
            door.set()
        """,
    "program.py": """
        import sys
        from fastforge.server.serve import bind, serve

        sys.exit(serve("shop.asgi:app", bind("127.0.0.1", int(sys.argv[1])), graceful_s=0.1))
        """,
}
OURS = ["program.py"]
UVICORN = ["-m", "uvicorn", "shop.asgi:app", "--timeout-graceful-shutdown", "1", "--port"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ProjectFolder(tmp_path).write(FILES)
    return tmp_path


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_two_hundred_at_once_while_others_are_answered(folder: Path, loop: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    argv = [sys.executable, "-m", "uvicorn", "shop.asgi:app", "--loop", loop, "--port", str(port)]
    with start(argv, cwd=folder, env={"FASTFORGE_ENV": "test"}) as server:
        wait_until(lambda: fetch(f"{url}/gauges"), describe=server)
        calls = [asyncio.create_task(status_of(port, "/wait")) for _ in range(200)]
        full = '{"limit":40,"borrowed":40,"waiting":160,"abandoned":0}'
        while True:  # answered, although not one thread is free
            answer = await asyncio.to_thread(fetch, f"{url}/gauges")
            assert answer is not None
            if answer.body == full:
                break
        await asyncio.to_thread(fetch, f"{url}/open")
        assert await asyncio.gather(*calls) == [200] * 200
        answer = await asyncio.to_thread(fetch, f"{url}/gauges")
        assert answer is not None
        assert answer.body == '{"limit":40,"borrowed":0,"waiting":0,"abandoned":0}'


async def status_of(port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])


@pytest.mark.parametrize("server", [OURS, UVICORN], ids=["ours", "uvicorn"])
def test_a_stuck_function_does_not_keep_a_server_that_stops(
    folder: Path, server: list[str]
) -> None:
    port = free_port()
    argv = [sys.executable, *server, str(port)]
    with start(argv, cwd=folder, env={"FASTFORGE_ENV": "test"}) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: fetch(f"{url}/gauges"), describe=process)
        program = f"import urllib.request; urllib.request.urlopen('{url}/wait')"
        with start([sys.executable, "-c", program], cwd=folder):
            wait_until(lambda: has_begun(f"{url}/gauges"))
            process.terminate()
            process.wait()
        assert "left behind: threading.Event.wait (1)" in process.output


def has_begun(url: str) -> bool:
    answer = fetch(url)
    return answer is not None and '"borrowed":1' in answer.body
