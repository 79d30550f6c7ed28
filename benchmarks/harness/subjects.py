"""Subjects: one service, as `startproject` makes it and as others are written."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

import redis

from tests.processes import ROOT, clean_environment

from .environments import python_with
from .servers import Web

__all__ = [
    "CAREFUL",
    "DJANGO",
    "DJANGO_NEEDS",
    "DJANGO_WSGI",
    "FASTFORGE",
    "LITESTAR",
    "PACKAGES",
    "TOKEN",
    "USUAL",
    "Place",
    "Subject",
    "fastforge",
    "keep_token",
    "others",
]

FASTFORGE: Final = "fastforge"
USUAL: Final = "hand-written"
CAREFUL: Final = "hand-written-careful"
LITESTAR: Final = "litestar"
DJANGO: Final = "django"
DJANGO_WSGI: Final = "django-wsgi"

TOKEN: Final = "bench-token-of-somebody-1"
FOLDER: Final = Path(__file__).resolve().parents[1] / "baselines" / "services"
UVICORN: Final = ("-m", "uvicorn", "--port", "{port}", "--log-level", "warning", "--no-access-log")
THREADS: Final = "16"
"""Of a server with threads: one for each client, since a thread waits for its connection."""
LITESTAR_PACKAGES: Final = ("litestar==2.25.0", "advanced-alchemy==1.12.0")
DJANGO_PACKAGES: Final = ("Django==6.1.3", "psycopg[binary,pool]==3.3.9", "gunicorn==27.0.1")
PACKAGES: Final = (*LITESTAR_PACKAGES, *DJANGO_PACKAGES)
SHARED: Final = ("uvicorn", "uvloop", "httptools", "structlog", "orjson", "redis", "hiredis")
"""What peers have in the versions that are here, and below what some of them have."""
WITH_SQLALCHEMY: Final = ("sqlalchemy", "greenlet", "asyncpg", "aiosqlite")
WITH_PYDANTIC: Final = ("pydantic",)
DJANGO_NEEDS: Final = range(12, 16)
SECRET: Final = "only-for-this-benchmark-0123456789abcdef0123456789abcdef"
APPS: Final = 20
ROUTES: Final = 10

MODELS: Final = '''
"""The rows of items."""

from fastforge.contrib.db import Model
from sqlalchemy.orm import Mapped, mapped_column


class Item(Model):
    """Something with a price."""

    __tablename__ = "items_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[float]
    in_stock: Mapped[bool]
'''
ROUTER: Final = '''
"""The addresses of items."""

from fastapi import APIRouter
from fastforge.contrib.auth import CurrentIdentity
from fastforge.contrib.db import DbSession
from pydantic import BaseModel, ConfigDict

from .models import Item

router = APIRouter(tags=["items"])


class NewItem(BaseModel):
    """What is sent to write an item."""

    name: str
    price: float
    in_stock: bool = True


class ItemOut(BaseModel):
    """An item as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    price: float
    in_stock: bool


class UserOut(BaseModel):
    """Who asks."""

    id: int


@router.get("/ping")
async def ping() -> dict[str, str]:
    """Answer."""
    return {"ping": "pong"}


@router.get("/me")
async def me(me: CurrentIdentity) -> UserOut:
    """Say who asks."""
    return UserOut(id=me.id)


@router.get("/items/{item_id}", response_model=ItemOut)
async def read(item_id: int, db: DbSession) -> Item:
    """Return one item."""
    return await db.get_or_404(Item, item_id)


@router.post("/items", status_code=201, response_model=ItemOut)
async def create(new: NewItem, db: DbSession) -> Item:
    """Store an item."""
    item = Item(**new.model_dump())
    db.add(item)
    await db.flush()
    return item
'''
ROUTES_OF_ONE: Final = """
@router.get("/things{number}/{{item}}")
async def things_{number}(item: int) -> dict[str, int]:
    return {{"item": item}}
"""
SETTINGS: Final = {
    '    App("bench.items", prefix="/items"),\n': (
        '    "fastforge.contrib.redis",\n'
        '    "fastforge.contrib.auth",\n'
        '    "fastforge.contrib.auth.default_user",\n'
        '    App("bench.items", prefix=""),\n'
        "    # more apps\n"
    ),
    "from fastforge.contrib.db import Database\n": (
        "from fastforge.contrib.db import Database\nfrom fastforge.contrib.redis import Redis\n"
    ),
    "# A file beside pyproject.toml": (
        'REDIS = Redis(url=env("REDIS_URL"))\n\n# A file beside pyproject.toml'
    ),
}
"""What is written into the settings that `startproject` makes, as the page on identity says."""
MAKE_KEY: Final = """
import asyncio

from fastforge import Project, Role
from fastforge.contrib.auth import create_api_key, create_user
from fastforge.contrib.db import session


async def main() -> None:
    async with Project.load().running(Role.COMMAND), session() as db, db.atomic():
        user = await create_user(db, "one@example.org", "plum-kettle-9")
        print((await create_api_key(db, user, "benchmark")).key)


asyncio.run(main())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the subjects of one comparison keep what they keep.

    Attributes:
        database: Its URL, with SQLAlchemy's driver.
        redis: Its URL.
        has_many_routes: Whether there are two hundred routes more.
    """

    database: str
    redis: str
    has_many_routes: bool = False

    @property
    def variables(self) -> dict[str, str]:
        """What hand-written code and other frameworks are told."""
        told = {"BENCH_DATABASE_URL": self.database, "BENCH_REDIS_URL": self.redis}
        return {**told, **({"BENCH_ROUTES": "1"} if self.has_many_routes else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One who serves.

    Attributes:
        web: How it is started.
        token: What a request of somebody known carries.
    """

    web: Web
    token: str = field(default=TOKEN, repr=False)


COMMON: Final = {
    # Tests want these otherwise than they are where nothing is said.
    "PYTHONUNBUFFERED": "",
    "FASTFORGE_LOG_FORMAT": "json",
    "SECRET_KEY": SECRET,
}


def fastforge(folder: Path, place: Place) -> Subject:
    """Write the project, migrate its database, and make a key for somebody.

    Args:
        folder: An empty one.
        place: Where it keeps what it keeps.
    """
    _make(folder, sys.executable, "-m", "fastforge", "startproject", "bench", str(folder))
    _make(folder, sys.executable, "manage.py", "startapp", "items")
    package = folder / "bench"
    shutil.rmtree(package / "items" / "migrations")
    (package / "items" / "tasks.py").unlink()
    (package / "items" / "models.py").write_text(MODELS.lstrip())
    (package / "items" / "routes.py").write_text(ROUTER.lstrip())
    settings = (package / "settings.py").read_text()
    for old, new in SETTINGS.items():
        if old not in settings:
            raise RuntimeError(f"startproject has not written {old!r}")
        settings = settings.replace(old, new)
    if place.has_many_routes:
        settings = settings.replace("    # more apps\n", _many_apps(package))
    (package / "settings.py").write_text(settings)
    env = {
        **COMMON,
        "FASTFORGE_ENV": "production",
        "DATABASE_URL": place.database,
        "REDIS_URL": place.redis,
    }
    development = {**env, "FASTFORGE_ENV": "development"}
    _make(folder, sys.executable, "manage.py", "makemigrations", env=development)
    _make(folder, sys.executable, "manage.py", "migrate", env=env)
    token = _make(folder, sys.executable, "-c", MAKE_KEY, env=env).split()[-1]
    serve = (sys.executable, "manage.py", "runserver", "{port}", "--workers", "1")
    return Subject(web=Web(command=serve, folder=folder, env=env), token=token)


def others(place: Place, python_of_django: str | None) -> dict[str, Subject]:
    """Return the others by name; without Django where no Python is new enough for it."""
    env = {**COMMON, **place.variables}

    def ours(module: str) -> Subject:
        application = f"benchmarks.baselines.services.{module}:app"
        return Subject(web=Web(command=(sys.executable, *UVICORN, application), env=env))

    found = {USUAL: ours("usual"), CAREFUL: ours("careful")}
    python = python_with(*LITESTAR_PACKAGES, *_versions(*SHARED, *WITH_SQLALCHEMY))
    command = (str(python), *UVICORN, "litestar_peer:app")
    found[LITESTAR] = Subject(web=Web(command=command, folder=FOLDER, env=env))
    if python_of_django is not None:
        packages = (*DJANGO_PACKAGES, *_versions(*SHARED, *WITH_PYDANTIC))
        python = python_with(*packages, python=python_of_django)
        bind = ("-w", "1", "--threads", THREADS, "-b", "127.0.0.1:{port}")
        commands = {
            DJANGO: (str(python), *UVICORN, "django_peer:asgi"),
            DJANGO_WSGI: (
                *(str(python), "-m", "gunicorn", "-k", "gthread", "--log-level", "warning"),
                *(*bind, "django_peer:wsgi"),
            ),
        }
        for name, command in commands.items():
            form = {"BENCH_DJANGO": "asgi" if name == DJANGO else "wsgi"}
            found[name] = Subject(web=Web(command=command, folder=FOLDER, env={**env, **form}))
    return found


def keep_token(redis_url: str) -> None:
    """Keep in Redis whose token it is, as those do that look it up there."""
    user = json.dumps({"id": 1, "email": "one@example.org", "is_active": True})
    key = f"token:{hashlib.sha256(TOKEN.encode()).hexdigest()}"
    with redis.Redis.from_url(redis_url) as client:
        client.set(key, user)
        client.set(f":1:{key}", pickle.dumps(user))  # where Django's own backend has it, and how


def _many_apps(package: Path) -> str:
    """Write two hundred routes in twenty apps; return their lines in the settings."""
    router = "from fastapi import APIRouter\n\nrouter = APIRouter()\n"
    router += "".join(ROUTES_OF_ONE.format(number=number) for number in range(ROUTES))
    for number in range(APPS):
        folder = package / f"app{number}"
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "routes.py").write_text(router)
    lines = (f'    App("bench.app{n}", prefix="/app{n}"),\n' for n in range(APPS))
    return "".join(lines)


def _versions(*names: str) -> list[str]:
    return [f"{name}=={version(name)}" for name in names]


def _make(folder: Path, *command: str, env: Mapping[str, str] | None = None) -> str:
    """Run a command that makes something; return what it has printed."""
    paths = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT / "src", folder)))}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**clean_environment(), **paths, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed: {done.stdout}{done.stderr}")
    return done.stdout
