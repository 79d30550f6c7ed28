"""A project whose channels go by its database: which backend it has, and what reaches whom."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fastforge import Role
from fastforge.channels.carrying.broker import backend_name
from fastforge.checks import run_checks
from fastforge.contrib.db.postgres_channels import checks
from fastforge.contrib.db.postgres_channels.broker import PostgresBroker
from fastforge.contrib.db.postgres_channels.resources import postgres_channels
from fastforge.exceptions import StartError
from fastforge.lifecycle import use_container
from fastforge.lifecycle.breakers import breakers_of
from fastforge.test import run_command
from fastforge.test.channels import channel_client
from fastforge.test.lifespan import application_of, started
from tests.folder import ProjectFolder, isolated

SETTINGS = """
    from fastforge.channels import Channels
    from fastforge.contrib.db import Database

    SECRET_KEY = "x" * 40
    DATABASES = {{"default": Database(url={url!r}{options})}}
    INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.db.postgres_channels", "shop.talk"]
    CHANNELS = Channels({channels})
"""
CHANNELS = """
    from typing import Literal

    from pydantic import BaseModel

    from fastforge.channels import Channel

    class Said(BaseModel):
        type: Literal["said"] = "said"
        text: str

    class News(Channel, pattern="news", public=True, history=10, presence=True):
        Outgoing = Said
"""
ROUTES = """
    from fastapi import APIRouter, HTTPException

    from fastforge.contrib.db import DbSession

    from .channels import News, Said

    router = APIRouter()

    @router.post("/say")
    async def say(text: str, db: DbSession) -> None:
        await News.publish(Said(text=text))
        if text == "no":
            raise HTTPException(409)
"""
WRITTEN = 'backend="postgres"'
UNUSED = "postgresql+asyncpg://ann:secret@127.0.0.1:1/shop"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def write(folder: ProjectFolder, url: str, channels: str = WRITTEN, options: str = "") -> None:
    folder.write(
        {
            "shop/settings.py": SETTINGS.format(url=url, channels=channels, options=options),
            "shop/talk/channels.py": CHANNELS,
            "shop/talk/routes.py": ROUTES,
        }
    )


@asynccontextmanager
async def client(folder: ProjectFolder) -> AsyncIterator[Any]:
    """Somebody who is connected to a server of its own."""
    async with started(application_of(folder.load())) as running, channel_client(running) as found:
        yield found


async def test_a_message_of_a_worker_reaches_the_clients_of_every_server(
    folder: ProjectFolder, each_url: str
) -> None:
    write(folder, each_url)
    project = folder.load()
    async with client(folder) as ann, client(folder) as bob:
        for each in (ann, bob):
            joined = await each.join("news")
            assert joined["type"] == "joined"
        import shop.talk.channels as talk  # type: ignore[import-not-found]

        async with project.running(Role.WORKER) as worker:
            with use_container(worker):
                await talk.News.publish(talk.Said(text="x"))
        for each in (ann, bob):
            message = await next_of(each, "message")
            assert (message["data"]["text"], message["id"] > joined["last_id"]) == ("x", True)


async def next_of(client: Any, kind: str) -> dict[str, Any]:
    while True:
        frame: dict[str, Any] = await client.next()
        if frame["type"] == kind:
            return frame


async def test_a_message_waits_for_the_commit_of_a_request_and_is_forgotten_without(
    folder: ProjectFolder, url: str
) -> None:
    write(folder, url)
    async with started(application_of(folder.load())) as running, channel_client(running) as ann:
        await ann.join("news")
        transport = httpx.ASGITransport(running)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            for text, status in (("no", 409), ("yes", 200)):
                answer = await http.post("/say", params={"text": text})
                assert answer.status_code == status
        assert (await next_of(ann, "message"))["data"]["text"] == "yes"


async def test_the_backend_is_that_of_the_database_where_it_can_carry_messages(
    folder: ProjectFolder, url: str, sqlite_url: str
) -> None:
    write(folder, url, channels="")
    environ = {"FASTFORGE_ENV": "production"}
    async with folder.load(environ).running(Role.COMMAND) as container:
        assert backend_name(container) == "postgres"
    write(folder, sqlite_url, channels="")
    async with folder.load(environ).running(Role.COMMAND) as container:
        assert backend_name(container) == "memory"
        assert container[postgres_channels] is None
    async with folder.load().running(Role.COMMAND) as container:
        assert backend_name(container) == "memory"  # as with every backend, in a test


@pytest.mark.parametrize(
    ("url", "options", "told"),
    [
        ("sqlite+aiosqlite:///db.sqlite3", "", "channels.E041"),
        (UNUSED, ', pooler="transaction"', "channels.E042"),
        (UNUSED, ", read_only=True", "channels.E043"),
        (UNUSED, f', pooler="transaction", direct_url={UNUSED!r}', ""),
    ],
)
async def test_a_database_that_cannot_carry_messages_is_refused(
    folder: ProjectFolder, url: str, options: str, told: str
) -> None:
    write(folder, url, options=options)
    project = folder.load()
    messages = run_checks(project, tags={"channels"}).messages
    assert [each.id for each in messages if each.id.startswith("channels.E04")] == [told][
        : bool(told)
    ]
    if told == "channels.E041":
        with pytest.raises(StartError, match=r"channels\.E041.*for one process leave backend out"):
            async with project.running(Role.WEB):
                pass


@pytest.mark.parametrize(
    ("url", "is_told"), [("sqlite+aiosqlite:///db.sqlite3", True), (UNUSED, False)]
)
def test_several_processes_on_a_file_are_told_of_before_a_deployment(
    folder: ProjectFolder, url: str, is_told: bool
) -> None:
    write(folder, url, channels="")
    with (folder.path / "shop/settings.py").open("a") as file:
        file.write('SERVER = {"workers": 2}\n')
    messages = run_checks(folder.load(), deploy=True, tags={"channels"}).messages
    found = [each for each in messages if each.id == "channels.E018"]
    assert bool(found) is is_told
    assert all("postgres_channels" in each.hint for each in found)


async def test_channels_go_past_the_pooler(folder: ProjectFolder, url: str) -> None:
    nowhere = "postgresql+asyncpg://ann:secret@127.0.0.1:1/shop"
    options = f', required=False, pooler="transaction", direct_url={url!r}'
    write(folder, nowhere, options=options)
    async with folder.load().running(Role.COMMAND) as container:
        broker = container[postgres_channels]
        assert isinstance(broker, PostgresBroker)
        assert await broker.publish("a", b"x", exclude="", kept=None)


def test_the_migrations_are_those_of_the_models_and_can_be_taken_back(
    folder: ProjectFolder, each_database_url: str
) -> None:
    write(folder, each_database_url, channels="")
    project = folder.load()
    for words in (
        ["migrate"],
        ["makemigrations", "postgres_channels", "--check"],
        ["migrate", "postgres_channels", "zero"],
    ):
        done = run_command(project, *words)
        assert done.exit_code == 0, done.output


async def test_a_process_that_has_been_deaf_for_long_is_needed_to_hear_again(
    folder: ProjectFolder, url: str
) -> None:
    write(folder, url)
    async with folder.load().running(Role.WEB) as container:
        (breaker,) = [each for each in breakers_of(container) if each.name == "channels"]
        broker = container[postgres_channels]
        assert isinstance(broker, PostgresBroker)
        assert not breaker.is_needed()
        broker.hearing.deaf_since = time.monotonic() - 60
        assert breaker.is_needed()


def test_notifications_that_somebody_does_not_read_are_told_of(
    folder: ProjectFolder, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the queue is full nobody can publish."""
    write(folder, postgres_url, channels="")
    monkeypatch.setattr(checks, "FULL", -1)
    done = run_command(folder.load(), "check", "--database", "--tag", "channels")
    assert "[channels.W010]" in done.output
    assert "the queue of PostgreSQL's notifications is 0% full" in done.output
    monkeypatch.undo()
    done = run_command(folder.load(), "check", "--database", "--tag", "channels")
    assert "[channels.W010]" not in done.output
    write(folder, UNUSED, channels="")
    done = run_command(folder.load(), "check", "--database", "--tag", "channels")
    assert "[channels.W010]" not in done.output
