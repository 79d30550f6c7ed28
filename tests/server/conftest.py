"""Applications in files and the small program that serves them, as `manage runserver` would."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commanding import start
from tests.folder import ProjectFolder
from tests.processes import Process, free_port

PROGRAM = """
import json
import sys
from pathlib import Path

from fastforge.exceptions import ForgeError
from fastforge.server.place import Place
from fastforge.server.reload import serve_with_reload
from fastforge.server.serve import bind, serve

how, application, port, options = sys.argv[1:]
try:
    sock = bind("127.0.0.1", int(port))
except ForgeError as error:
    sys.exit(f"{error}")
if how == "reload":
    place = Place(root=Path.cwd(), import_folder=Path.cwd())
    url = f"http://127.0.0.1:{port}"
    sys.exit(serve_with_reload(sock, place=place, url=url, application=application))
sys.exit(serve(application, sock, **{"graceful_s": 5} | json.loads(options)))
"""

APPLICATION = """
import asyncio
import os

VERSION = 1


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        print("up", flush=True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("down", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
        return
    print("asked", scope["path"], flush=True)
    if scope["path"] == "/slow":
        await asyncio.sleep(0.5)
    if scope["path"] == "/never":
        await asyncio.sleep(3600)
    body = f"version {VERSION} pid {os.getpid()}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""


class Site:
    """A folder with an application, and the address at which it is served."""

    def __init__(self, path: Path) -> None:
        self.folder = ProjectFolder(path)
        self.folder.write({"program.py": PROGRAM, "site_app.py": APPLICATION})
        self.path = path
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"

    def start(
        self, how: str = "serve", application: str = "site_app:app", **options: Any
    ) -> Process:
        """Start the program on it, with options of `serve`."""
        argv = [sys.executable, "program.py", how, application, str(self.port)]
        return start([*argv, json.dumps(options)], cwd=self.path)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)
