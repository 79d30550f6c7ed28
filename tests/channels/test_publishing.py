"""Publishing: from handlers, threads, transactions; and what cannot be published."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fastforge.channels import ChannelError, ChannelUnavailable
from fastforge.test import run_command

from ..folder import ProjectFolder
from .live import CHANNELS, Live, live_with

ROUTES = """
    from fastapi import APIRouter, HTTPException

    from fastforge.contrib.db import DbSession, non_atomic

    from shop.talk.channels import News, Said

    router = APIRouter()

    @router.post("/atomic")
    async def in_atomic(db: DbSession, fails: bool = False, immediately: bool = False) -> int:
        await News.publish(Said(text="hello"), immediately=immediately)
        if fails:
            raise HTTPException(409)
        return heard()

    @router.post("/thread")
    def in_a_thread(fails: bool = False) -> int:
        News.publish_from_thread(Said(text="from a thread"))
        if fails:
            raise HTTPException(409)
        return heard()

    @router.post("/loop")
    @non_atomic
    async def on_the_loop() -> None:
        News.publish_from_thread(Said(text="x"))

    def heard() -> int:
        from fastforge.channels.rooms.hub import hub_of
        from fastforge.lifecycle import current_container

        return hub_of(current_container()).broker._last_id
"""


@asynccontextmanager
async def shop(folder: ProjectFolder) -> AsyncIterator[Live]:
    """Run a project with channels and a database."""
    database = f"sqlite+aiosqlite:///{folder.path}/db.sqlite3"
    async with live_with(
        folder,
        apps='"fastforge.contrib.db", "shop.talk", "shop.web"',
        more=f"""
                from fastforge.contrib.db import Database
                DATABASES = {{"default": Database(url="{database}")}}
        """,
        files={"shop/web/routes.py": ROUTES},
    ) as live:
        yield live


async def test_in_a_transaction_a_message_waits_for_the_commit(folder: ProjectFolder) -> None:
    async with shop(folder) as live:
        ann = await live.client()
        await ann.join("news")
        before = await live.http.post("/atomic")
        assert (before.status_code, before.json()) == (200, 0)
        await ann.assert_push(live.channels.Said(text="hello"))


async def test_a_rollback_forgets_what_was_published(folder: ProjectFolder) -> None:
    async with shop(folder) as live:
        ann = await live.client()
        await ann.join("news")
        assert (await live.http.post("/atomic?fails=true")).status_code == 409
        assert (await live.http.post("/thread?fails=true")).status_code == 409
        await ann.assert_no_push()


async def test_what_could_not_be_sent_after_the_commit_is_refused_before_it(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A success that nobody hears of would be one too many, and so would a change."""
    async with shop(folder) as live:
        ann = await live.client()
        await ann.join("news")
        assert (await live.http.post("/atomic")).status_code == 200
        await ann.assert_push(live.channels.Said(text="hello"))

        async def away(*_: object, **__: object) -> None:
            raise ChannelUnavailable("nothing carries messages", code="channels.E022")

        monkeypatch.setattr("fastforge.channels.rooms.hub.FRESH_S", 0)
        monkeypatch.setattr(live.hub.broker, "recall", away)
        answer = await live.http.post("/atomic")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["code"] == "channels.E022"
        await ann.assert_no_push()


async def test_whoever_does_not_want_to_wait_says_so(folder: ProjectFolder) -> None:
    async with shop(folder) as live:
        ann = await live.client()
        await ann.join("news")
        assert (await live.http.post("/atomic?fails=true&immediately=true")).status_code == 409
        await ann.assert_push(live.channels.Said(text="hello"))


async def test_a_plain_handler_publishes_from_its_thread(folder: ProjectFolder) -> None:
    async with shop(folder) as live:
        ann = await live.client()
        await ann.join("news")
        assert (await live.http.post("/thread")).json() == 0
        await ann.assert_push(live.channels.Said(text="from a thread"))
        with pytest.raises(ChannelError, match=r"channels\.E015.*write `await News\.publish"):
            await live.http.post("/loop")


@pytest.fixture
def unloaded(folder: ProjectFolder) -> ProjectFolder:
    folder.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.talk"]\nALLOWED_HOSTS = ["*"]\n',
            "shop/talk/channels.py": CHANNELS,
            "shop/talk/commands/say.py": '''
                """Say something."""
                from fastforge.commands import command

                from ..channels import News, Said

                @command
                async def say() -> None:
                    await News.publish(Said(text="hello"))
            ''',
        }
    )
    return folder


def test_a_message_that_would_reach_nobody_is_refused(unloaded: ProjectFolder) -> None:
    """What is only in memory reaches no other process, and a command is one."""
    project = unloaded.load({"FASTFORGE_ENV": "development"})
    result = run_command(project, "say")
    assert result.exit_code == 2
    assert "[channels.E021]" in result.error
    assert "a message from this command process would reach nobody" in result.error


async def test_what_does_not_fit_is_refused_where_it_is_published(folder: ProjectFolder) -> None:
    async with live_with(folder, settings="max_message_bytes=1024") as live:
        channels = live.channels
        for publish, code in (
            (channels.News.publish(channels.Say(text="x")), "channels.E010"),
            (channels.News.publish({"type": "said"}), "channels.E010"),
            (channels.Room.publish(channels.Said(text="x")), "channels.E011"),
            (channels.Room.publish(channels.Said(text="x"), romm_id=7), "channels.E011"),
            (channels.Room.publish(channels.Said(text="x"), room_id="7"), "channels.E012"),
            (channels.News.publish(channels.Said(text="x" * 1024)), "channels.E013"),
        ):
            with live.here(), pytest.raises(ChannelError) as refused:
                await publish
            assert refused.value.code == code


@pytest.mark.parametrize("wrong", [5, ["c1"], b"c1"])
async def test_what_is_no_connection_cannot_be_left_out(live: Live, wrong: object) -> None:
    told = f"exclude={wrong!r} is no connection: it is of the type {type(wrong).__name__}"
    with live.here(), pytest.raises(ChannelError, match=re.escape(told)) as refused:
        await live.channels.News.publish(live.channels.Said(text="x"), exclude=wrong)
    assert refused.value.code == "channels.E025"


async def test_a_class_in_place_of_its_message_is_named(live: Live) -> None:
    with live.here(), pytest.raises(ChannelError, match=r"the class Said .*; write Said\(\.\.\.\)"):
        await live.channels.News.publish(live.channels.Said)


async def test_a_class_that_is_not_the_project_s_cannot_be_published_in(live: Live) -> None:
    from fastforge.channels import Channel

    class Foreign(Channel, pattern="foreign", public=True):
        Outgoing = live.channels.Said

    class Base(Channel):
        pass

    for channel in (Foreign, Base):
        with live.here(), pytest.raises(ChannelError) as refused:
            await channel.publish(live.channels.Said(text="x"))
        assert refused.value.code == "channels.E014"
