"""A project with a database, jobs and a resource, and pytest started in its folder."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.commanding import python
from tests.folder import ProjectFolder

FILES = {
    "pyproject.toml": """
        [tool.fastforge]
        settings = "shop.settings"

        [tool.pytest.ini_options]
        addopts = ["--import-mode=importlib", "--strict-markers"]
        filterwarnings = ["error"]
        testpaths = ["tests"]
        """,
    ".env": "FASTFORGE_ENV=development\nDATABASE_URL=sqlite+aiosqlite:///wrong.sqlite3\n",
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database

        SECRET_KEY = env.secret("SECRET_KEY")
        INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop.notes"]
        DATABASES = {
            "default": Database(url=env("DATABASE_URL", default="sqlite+aiosqlite:///db.sqlite3"))
        }
        """,
    "shop/notes/models.py": """
        from fastforge.contrib.db import Model
        from sqlalchemy.orm import Mapped, mapped_column

        class Note(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            text: Mapped[str]
        """,
    "shop/notes/migrations/0001_initial.py": """
        import sqlalchemy as sa

        revision = "notes.0001_initial"

        def upgrade(op):
            notes = op.create_table(
                "notes_note",
                sa.Column("id", sa.Integer(), primary_key=True),
                sa.Column("text", sa.String(), nullable=False),
            )
            op.bulk_insert(notes, [{"text": "of the migration"}])

        def downgrade(op):
            op.drop_table("notes_note")
        """,
    "shop/notes/resources.py": """
        from collections.abc import AsyncIterator
        from typing import Annotated

        import anyio

        from fastforge import provide, resource

        @resource
        async def greeter() -> AsyncIterator[str]:
            async with anyio.create_task_group():
                yield "hello"

        Greeter = Annotated[str, provide(greeter)]
        """,
    "shop/notes/tasks.py": """
        from fastforge import injected, task
        from fastforge.contrib.db import DbSession
        from .channels import Added, Notes
        from .models import Note

        @task
        async def shout(note_id: int, *, db: DbSession = injected) -> None:
            async with db.atomic():
                note = await db.get_one(Note, note_id)
                note.text = note.text.upper()
                await Notes.publish(Added(text=note.text))
        """,
    "shop/notes/channels.py": """
        from typing import Literal

        from fastforge.channels import Channel
        from pydantic import BaseModel

        class Added(BaseModel):
            type: Literal["added"] = "added"
            text: str

        class Notes(Channel, pattern="notes", public=True):
            Outgoing = Added
        """,
    "shop/notes/routes.py": """
        import asyncio

        from fastapi import APIRouter, WebSocket
        from fastforge.cache import Cache
        from fastforge.contrib.db import DbSession
        from sqlalchemy import select
        from .channels import Added, Notes
        from .models import Note
        from .resources import Greeter
        from .tasks import shout

        router = APIRouter()

        @router.get("/notes")
        async def notes(db: DbSession) -> list[str]:
            return list(await db.scalars(select(Note.text).order_by(Note.id)))

        @router.post("/notes", status_code=201)
        async def add(text: str, db: DbSession) -> int:
            note = Note(text=text)
            db.add(note)
            await db.flush()
            await shout.enqueue(note_id=note.id)
            await Notes.publish(Added(text=text))
            return note.id

        @router.get("/greeting")
        async def greeting(greeter: Greeter) -> str:
            return greeter

        @router.get("/cached")
        async def cached(cache: Cache) -> int | None:
            return await cache.incr("hits")

        @router.get("/loop")
        async def loop() -> int:
            return id(asyncio.get_running_loop())

        @router.websocket("/echo")
        async def echo(socket: WebSocket) -> None:
            await socket.accept()
            await socket.send_text(await socket.receive_text())
        """,
}


class Suite:
    """A project's folder, and its tests run by a pytest of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = ProjectFolder(path)
        self.folder.write(FILES)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files below the project's folder; tests get no `__init__.py`."""
        self.folder.write(files)

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run pytest, where every warning is an error."""
        argv = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
        return python([*argv, *arguments], cwd=self.path, env=env, deadline_s=240)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)
