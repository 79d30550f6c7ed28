"""A small project that is put to the proof, and the command that does it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.commanding import python, start
from tests.folder import ProjectFolder
from tests.processes import Process

PROJECT = {
    "pyproject.toml": """
        [tool.fastforge]
        settings = "shop.settings"
        """,
    "shop/settings.py": """
        from fastforge.core.settings import Server

        SECRET_KEY = "only-for-these-tests-0123456789abcdef0123456789abcdef"
        INSTALLED_APPS = ["shop.orders"]
        SERVER = Server(drain_s=0.8, linger_s=0.3, graceful_s=5)
        """,
    "shop/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application(settings_module="shop.settings")
        """,
    "shop/orders/resources.py": """
        from fastforge import resource


        @resource()
        async def cellar():
            yield "cellar"


        @resource(needs=(cellar,))
        async def house():
            yield "house"


        @resource(needs=(house,))
        async def roof():
            yield "roof"
        """,
    "shop/orders/routes.py": """
        import asyncio

        from fastapi import APIRouter, WebSocket
        from starlette.responses import StreamingResponse

        router = APIRouter()


        @router.get("/orders")
        async def orders() -> list[int]:
            return [1, 2, 3]


        @router.get("/orders/{number}")
        async def order(number: int) -> int:
            return number


        @router.get("/report")
        async def report(format: str) -> str:
            return format


        @router.get("/slow")
        async def slow() -> str:
            await asyncio.sleep(0.7)
            return "at last"


        @router.get("/lines")
        async def lines() -> StreamingResponse:
            async def each():
                for number in range(5):
                    yield f"{number}\\n"
                    await asyncio.sleep(0.1)

            return StreamingResponse(each(), media_type="text/plain")


        @router.get("/private")
        async def private() -> None:
            from fastapi import HTTPException

            raise HTTPException(401)


        @router.websocket("/live")
        async def live(socket: WebSocket) -> None:
            await socket.accept()
            async for message in socket.iter_text():
                await socket.send_text(message)
        """,
}


class Lab:
    """A project's folder, and `manage chaos` in it."""

    def __init__(self, path: Path) -> None:
        self.folder = ProjectFolder(path)
        self.folder.write(PROJECT)
        kept = path / "kept"
        kept.mkdir()
        self._environ = {"TMPDIR": str(kept)}

    def write_channels(self, *patterns: str, settings: str = "") -> None:
        """Give it channels that anybody may join, and these arguments of CHANNELS."""
        classes = (
            f"class Channel{number}(Channel, pattern={pattern!r}, public=True): ..."
            for number, pattern in enumerate(patterns)
        )
        text = "from fastforge.channels import Channel\n\n" + "\n".join(classes)
        self.folder.write({"shop/orders/channels.py": text})
        with (self.folder.path / "shop/settings.py").open("a") as file:
            file.write(f"CHANNELS = dict({settings})\n")

    def chaos(self, *arguments: str, deadline_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return python(
            self._argv(arguments)[1:],
            cwd=self.folder.path,
            env=self._environ,
            deadline_s=deadline_s,
        )

    def reports(self, *arguments: str, deadline_s: float = 120) -> list[dict[str, Any]]:
        """Run the command and return what it says as JSON."""
        done = self.chaos(*arguments, "--json", deadline_s=deadline_s)
        assert not done.stderr, done.stderr
        return self.read(done.stdout)

    def started(self, *arguments: str) -> Process:
        """Start the command."""
        return start(self._argv(arguments), cwd=self.folder.path, env=self._environ)

    def read(self, output: str) -> list[dict[str, Any]]:
        """Return what the command has said as JSON."""
        return [json.loads(line) for line in output.splitlines()]

    def _argv(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "fastforge", "chaos", *arguments]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)
