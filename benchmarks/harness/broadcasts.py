"""Broadcasts: fastforge and its peers as servers that say one thing to many sockets."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from .environments import python_with
from .projects import write_project
from .servers import Web

__all__ = [
    "FASTFORGE",
    "USUAL",
    "Speaker",
    "fastforge_in",
    "fastforge_with_users",
    "others",
    "usual",
]

FASTFORGE: Final = "fastforge"
USUAL: Final = "hand-written"
FOLDER: Final = Path(__file__).resolve().parents[1] / "baselines" / "broadcasts"
MANAGE: Final = str(Path(sys.executable).with_name("manage"))
UVICORN: Final = ("-m", "uvicorn", "--port", "{port}", "--log-level", "warning", "--no-access-log")
PEERS: Final = ("litestar==2.25.0", "broadcaster==0.3.1")
SHARED: Final = ("uvicorn", "starlette", "websockets", "uvloop", "httptools")
"""What peers have in the versions that are here."""
SETTINGS: Final = """
    import os

    from fastforge.conf import App
    from fastforge.core.settings import Server

    ALLOWED_HOSTS = ["localhost"]
    SECRET_KEY = os.environ["SECRET_KEY"]
    INSTALLED_APPS = [App("bench.talk", prefix="")]
    SERVER = Server(drain_s=0)
    if "BENCH_REDIS_URL" in os.environ:
        from fastforge.contrib.redis import Redis

        INSTALLED_APPS.append("fastforge.contrib.redis")
        REDIS = Redis(url=os.environ["BENCH_REDIS_URL"])
    """
SETTINGS_WITH_USERS: Final = """
    import os

    from fastforge.channels import Channels
    from fastforge.conf import App
    from fastforge.contrib.db import Database
    from fastforge.core.settings import Server

    ALLOWED_HOSTS = ["localhost"]
    SECRET_KEY = os.environ["SECRET_KEY"]
    INSTALLED_APPS = [
        "fastforge.contrib.db",
        "fastforge.contrib.auth",
        "fastforge.contrib.auth.default_user",
        App("fastforge.contrib.auth.api", prefix="/auth"),
        App("bench.talk", prefix=""),
    ]
    DATABASES = {"default": Database(url="sqlite+aiosqlite:///users.sqlite3")}
    CHANNELS = Channels(per_user=10_000)
    SERVER = Server(drain_s=0)
    """
FILES: Final = {
    "bench/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application()
        """,
    "bench/talk/__init__.py": "",
    "bench/talk/channels.py": """
        from typing import Literal

        from pydantic import BaseModel

        from fastforge.channels import Channel, Connection


        class Tick(BaseModel):
            type: Literal["tick"] = "tick"
            at: int
            number: int
            padding: str


        class Room(Channel, pattern="room", public=True):
            Outgoing = Tick


        class Private(Channel, pattern="private"):
            Outgoing = Tick

            async def authorize(self, connection: Connection) -> bool:
                return connection.user is not None
        """,
    "bench/talk/routes.py": """
        import sys

        from fastapi import APIRouter

        from .channels import Room, Tick

        sys.path.insert(0, BROADCASTS)
        from saying import say

        router = APIRouter()


        async def publish(message: dict) -> None:
            await Room.publish(Tick(**message))


        @router.post("/say")
        async def say_it(count: int, gap_s: float = 0, size: int = 200) -> dict[str, int]:
            return await say(publish, count, gap_s, size)
        """,
}
ENV: Final = {
    "FASTFORGE_SETTINGS_MODULE": "bench.settings",
    "FASTFORGE_ENV": "production",
    "SECRET_KEY": "only-for-this-benchmark-0123456789abcdef0123456789abcdef",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A server that says one thing to many sockets.

    Attributes:
        name: The subject of its rows.
        web: How it is started; `POST /say` lets it speak.
        path: Where its socket is.
        joins: The channel that a client joins by our protocol; empty: it is in it at once.
        options: More lines of a client's handshake.
    """

    name: str
    web: Web
    path: str = "/channels"
    joins: str = ""
    options: str = ""


def fastforge_in(folder: Path, env: Mapping[str, str] | None = None) -> list[Speaker]:
    """Return a project by our server, and the same by plain uvicorn.

    Args:
        folder: Where it is written.
        env: What it needs: `BENCH_REDIS_URL` where messages go through Redis.
    """
    _write(folder, SETTINGS)
    ours = (MANAGE, "runserver", "{port}", "--workers", "1")
    stock = (sys.executable, *UVICORN, "bench.asgi:app")
    return [
        Speaker(name=name, web=_web(folder, command, env), joins="room")
        for name, command in ((FASTFORGE, ours), ("fastforge-uvicorn", stock))
    ]


def fastforge_with_users(folder: Path) -> Speaker:
    """Return a project whose clients show who they are, and join where nobody else may."""
    _write(folder, SETTINGS_WITH_USERS)
    web = _web(folder, (MANAGE, "runserver", "{port}", "--workers", "1"))
    for command, typed in (
        (("makemigrations",), ""),
        (("migrate",), ""),
        (("createuser", "ann@example.org", "--password-stdin"), "plum-kettle-9"),
    ):
        env = {**os.environ, **ENV, "PYTHONPATH": str(folder)}
        program = [MANAGE, *command]
        subprocess.run(
            program, cwd=folder, env=env, input=typed, text=True, check=True, capture_output=True
        )
    return Speaker(name=FASTFORGE, web=web, joins="private")


def usual(env: Mapping[str, str] | None = None) -> Speaker:
    """Return the usual ConnectionManager."""
    return Speaker(name=USUAL, web=_usual(sys.executable, "usual", env))


def others() -> list[Speaker]:
    """Return the usual ConnectionManager, Litestar's plugin, and broadcaster."""
    same = (f"{name}=={version(name)}" for name in SHARED)
    python = str(python_with(*PEERS, *same))
    return [
        usual(),
        Speaker(name="litestar", web=_usual(python, "litestar_peer"), path="/room"),
        Speaker(name="broadcaster", web=_usual(python, "broadcaster_peer")),
    ]


def _usual(python: str, module: str, env: Mapping[str, str] | None = None) -> Web:
    return Web(command=(python, *UVICORN, f"{module}:app"), folder=FOLDER, env=env or {})


def _web(folder: Path, command: tuple[str, ...], env: Mapping[str, str] | None = None) -> Web:
    return Web(command=command, folder=folder, env={**ENV, **(env or {})})


def _write(folder: Path, settings: str) -> None:
    files = {path: text.replace("BROADCASTS", repr(str(FOLDER))) for path, text in FILES.items()}
    write_project(folder, {"bench/settings.py": settings, **files})
