"""Channels in a SQLite file: what is published reaches every process, in order, and is kept."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from fastforge.channels import ChannelError, ChannelUnavailable
from fastforge.channels.carrying.broker import Kept
from fastforge.contrib.db.file_channels import broker as broker_module
from fastforge.contrib.db.file_channels import file as file_module
from fastforge.contrib.db.file_channels import work as work_module
from tests.processes import wait_until_async

from .conftest import process, run_sql

KEPT = Kept(3, 60)


async def test_what_is_published_comes_in_in_every_process_in_order(path: Path) -> None:
    async with process(path) as one, process(path) as other, process(path) as silent:
        for each in (one, other):
            await each.broker.subscribe("a")
        await asyncio.gather(
            *(each.publish(b"%d" % number) for number in range(30) for each in (one, silent))
        )
        await one.publish(b"elsewhere", room="b")
        await one.broker.publish("a", b"last", exclude="c1", kept=None)
        for each in (one, other):
            await wait_until_async(lambda each=each: len(each.got) == 61)
            ids = [envelope.id for envelope in each.got]
            assert ids == sorted(set(ids))
            assert (each.got[-1].data, each.got[-1].exclude) == (b"last", "c1")
        assert one.texts == other.texts
        assert silent.got == []
        other.broker.unsubscribe("a")
        await one.publish(b"later")
        await wait_until_async(lambda: one.texts[-1] == b"later")
        await asyncio.sleep(0.3)
        assert other.texts[-1] == b"last"


async def test_whoever_comes_back_gets_what_was_missed_or_hears_that_it_is_gone(path: Path) -> None:
    async with process(path) as one, process(path) as other:
        ids = [await one.publish(b"%d" % number, kept=KEPT) for number in range(4)]
        stand = await other.broker.recall("a", after=None, epoch="", kept=KEPT)
        assert stand.last_id == ids[-1]

        async def missed(after: int, epoch: str = stand.epoch) -> tuple[list[bytes], bool]:
            found = await other.broker.recall("a", after=after, epoch=epoch, kept=KEPT)
            return [each.data for each in found.messages], found.is_complete

        assert await missed(ids[1]) == ([b"2", b"3"], True)
        assert await missed(ids[0]) == ([b"1", b"2", b"3"], True)
        assert not (await missed(ids[0] - 1))[1]
        assert await missed(ids[-1]) == ([], True)
        assert await missed(ids[1], "another") == ([], False)
        assert await missed(ids[-1] + 1) == ([], False)


async def test_a_history_ends_with_its_time_and_is_forgotten_by_whoever_writes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "FORGET_EVERY_S", 0)
    monkeypatch.setattr(work_module, "CARRIED_S", 0)
    async with process(path) as one:
        first = await one.publish(b"1", kept=Kept(3, 0.05))
        second = await one.publish(b"2", kept=KEPT)
        await one.publish(b"on its way")
        await asyncio.sleep(0.1)
        epoch = (await one.broker.recall("a", after=None, epoch="", kept=KEPT)).epoch
        for _ in range(2):  # before it is deleted, and after
            found = await one.broker.recall("a", after=first - 1, epoch=epoch, kept=KEPT)
            assert not found.is_complete
            found = await one.broker.recall("a", after=first, epoch=epoch, kept=KEPT)
            assert ([each.id for each in found.messages], found.is_complete) == ([second], True)
            await one.publish(b"elsewhere", room="b")
        connection = sqlite3.connect(path)
        rows = connection.execute("SELECT data FROM file_channels_message ORDER BY id").fetchall()
        connection.close()
        assert rows[0] == ("2",)


async def test_of_rooms_that_were_silent_for_very_long_less_is_known(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "FORGET_EVERY_S", 0)
    monkeypatch.setattr(work_module, "MOST_ROOMS", 2)
    async with process(path) as one:
        ids = [
            await one.publish(b"x", room=room, kept=Kept(1, 60)) for room in "abc" for _ in range(2)
        ]
        epoch = (await one.broker.recall("a", after=None, epoch="", kept=KEPT)).epoch
        await one.publish(b"x", room="d")
        found = await one.broker.recall("nobody", after=0, epoch=epoch, kept=KEPT)
        assert not found.is_complete
        found = await one.broker.recall("nobody", after=ids[-1], epoch=epoch, kept=KEPT)
        assert found.is_complete


async def test_who_is_there_is_known_of_all_processes_that_live(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(path) as one, process(path) as other:
        await other.broker.subscribe("a")
        await one.broker.enter("a", "ann", b'{"id":1}')
        await other.broker.enter("a", "bob", b'{"id":2}')
        assert await one.broker.present("a") == {"ann": b'{"id":1}', "bob": b'{"id":2}'}
        await wait_until_async(lambda: other.changed == ["a", "a"])
        await one.broker.leave("a", "ann")
        assert await other.broker.present("a") == {"bob": b'{"id":2}'}
        await wait_until_async(lambda: other.changed == ["a"] * 3)
        run_sql(path, "UPDATE file_channels_attendance SET until = 0")  # as if it had died
        assert await one.broker.present("a") == {}
        await other.broker.renew({"a": ["bob"]})
        assert await one.broker.present("a") == {"bob": b'{"id":2}'}
        await other.broker.renew({})
        assert await one.broker.present("a") == {}
        assert other.got == []


async def test_what_cannot_be_written_is_told_and_what_is_written_later_comes_in(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_module, "BUSY_S", 0.05)
    async with process(path) as one, process(path) as other:
        await other.broker.subscribe("a")
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(ChannelUnavailable) as caught:
            await one.publish(b"x")
        assert caught.value.code == "channels.E051"
        connection.execute("ROLLBACK")
        connection.close()
        await one.publish(b"y")
        await wait_until_async(lambda: other.texts == [b"y"])
        assert other.missed == 0


async def test_tables_that_are_not_there_are_told_with_the_command(tmp_path: Path) -> None:
    async with process(tmp_path / "empty.sqlite3") as one:
        for asked in (one.publish(b"x"), one.broker.subscribe("a"), one.broker.present("a")):
            with pytest.raises(ChannelError) as caught:
                await asked
            assert caught.value.code == "channels.E044"
            assert "manage migrate" in caught.value.hint


async def test_ids_are_of_another_epoch_in_another_file(path: Path, tmp_path: Path) -> None:
    async with process(path) as one:
        await one.broker.subscribe("a")
        last = await one.publish(b"x", kept=KEPT)
        epoch = (await one.broker.recall("a", after=None, epoch="", kept=None)).epoch
    async with process(path) as again:
        found = await again.broker.recall("a", after=last, epoch=epoch, kept=KEPT)
        assert found.is_complete
        run_sql(path, "DELETE FROM file_channels_standing")
        await again.broker.subscribe("a")
        assert (await again.broker.recall("a", after=last, epoch=epoch, kept=KEPT)).epoch != epoch
