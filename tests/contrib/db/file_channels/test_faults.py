"""Channels in a SQLite file that is locked, deleted, emptied, restored, or left by somebody."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fastforge.channels import ChannelUnavailable
from fastforge.channels.carrying.broker import Envelope, Kept
from fastforge.contrib.db.file_channels import broker as broker_module
from fastforge.contrib.db.file_channels import file as file_module
from fastforge.contrib.db.file_channels import looking as looking_module
from fastforge.contrib.db.file_channels import work as work_module
from tests.processes import wait_until_async

from .conftest import migrated, process, run_sql

KEPT = Kept(3, 60)
SAY = "INSERT INTO file_channels_message (name, exclude, data, kept_until, expires_at) VALUES {}"


@contextmanager
def somebody_who_writes(path: Path) -> Iterator[None]:
    """Hold the lock of the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def test_who_gives_up_waiting_leaves_no_transaction_and_no_lock_behind(path: Path) -> None:
    async with process(path) as one:
        await one.publish(b"opens the file")
        with somebody_who_writes(path):
            waiting = [asyncio.create_task(one.publish(b"%d" % number)) for number in range(3)]
            await asyncio.sleep(0.1)
            for task in waiting:
                task.cancel()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(each) for each in outcomes] == [asyncio.CancelledError] * 3
        await one.publish(b"last")
        with closing(sqlite3.connect(path, timeout=0)) as connection, connection:
            connection.execute(SAY.format("('b', '', 'free', 0, 9e9)"))


async def test_all_who_wait_wait_no_longer_than_one_may(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_module, "BUSY_S", 0.3)
    async with process(path) as one:
        with somebody_who_writes(path):
            began = asyncio.get_running_loop().time()
            waiting = [one.publish(b"x") for _ in range(50)]
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert {type(each) for each in outcomes} == {ChannelUnavailable}
            assert asyncio.get_running_loop().time() - began < 50 * 0.3 / 2
        assert await one.publish(b"x")


async def test_where_a_room_stands_is_told_to_somebody_who_is_writing_the_file(path: Path) -> None:
    """A message inside a transaction asks first whether it could be sent; also the very first."""
    async with process(path) as one:
        with somebody_who_writes(path):
            found = await one.broker.recall("a", after=None, epoch="", kept=None)
        assert (found.epoch, found.last_id) == ("", 0)
        await one.broker.subscribe("a")
        assert (await one.broker.recall("a", after=None, epoch="", kept=None)).epoch


async def stand(path: Path, missed: str) -> tuple[str, int]:
    """Let somebody join and hear something, then lose the file; return what they knew."""
    async with process(path) as one, process(path) as other:
        await one.broker.subscribe("a")
        last_id = [await other.publish(b"%d" % number, kept=KEPT) for number in range(3)][-1]
        await wait_until_async(lambda: len(one.got) == 3)
        before = await one.broker.recall("a", after=None, epoch="", kept=KEPT)
        if missed == "deleted":
            for file in path.parent.glob(f"{path.name}*"):
                file.unlink()
            with pytest.raises(ChannelUnavailable) as caught:
                await other.publish(b"nowhere")
            assert caught.value.code == "channels.E044"
            migrated(path)
        elif missed == "emptied":
            run_sql(path, "DELETE FROM file_channels_standing")
            run_sql(path, "DELETE FROM file_channels_message")
            run_sql(path, "DELETE FROM sqlite_sequence")
        await other.publish(b"new", kept=KEPT)
        await wait_until_async(lambda: one.missed == 1)
        await other.publish(b"newer", kept=KEPT)
        await wait_until_async(lambda: one.texts[-1] == b"newer")
        found = await one.broker.recall("a", after=last_id, epoch=before.epoch, kept=KEPT)
        assert not found.is_complete
        assert found.epoch not in ("", before.epoch)
        assert one.missed == 1
    return before.epoch, last_id


@pytest.mark.parametrize("becomes", ["deleted", "emptied"])
async def test_a_file_that_begins_anew_is_heard_and_what_was_before_is_told_to_be_missed(
    path: Path, becomes: str
) -> None:
    epoch, last_id = await stand(path, becomes)
    assert epoch
    assert last_id == 3


async def test_an_older_copy_that_comes_back_gives_ids_another_epoch(
    path: Path, tmp_path: Path
) -> None:
    """Ids that clients have seen are given a second time from there."""
    copy = tmp_path / "copy.sqlite3"
    async with process(path) as one:
        await one.broker.subscribe("a")
        await one.publish(b"1", kept=KEPT)
        with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(copy)) as kept:
            live.backup(kept)
        last_id = await one.publish(b"2", kept=KEPT)
        before = await one.broker.recall("a", after=last_id, epoch="", kept=KEPT)
        await wait_until_async(lambda: len(one.got) == 2)
        with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(copy)) as kept:
            kept.backup(live)
        await wait_until_async(lambda: one.missed == 1)
        assert await one.publish(b"another 2", kept=KEPT) == last_id
        await wait_until_async(lambda: one.texts[-1] == b"another 2")
        found = await one.broker.recall("a", after=last_id, epoch=before.epoch, kept=KEPT)
        assert not found.is_complete


async def test_what_was_deleted_before_it_was_seen_is_told_before_what_came_after_it(
    path: Path,
) -> None:
    """As after a process was stopped for a minute, or a clock was set."""
    async with process(path) as one:
        order: list[object] = []

        def missed() -> None:
            order.append("missed")

        one.broker.attach(order.append, missed, one.changed.append)
        await one.broker.subscribe("a")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(SAY.format("('a', '', '1', 0, 9e9), ('a', '', '2', 0, 9e9)"))
            connection.execute("DELETE FROM file_channels_message WHERE data = '1'")
        await wait_until_async(lambda: len(order) == 2)
        assert order == ["missed", Envelope("a", 2, b"2")]
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(SAY.format("('a', '', '3', 0, 9e9)"))
            connection.execute("DELETE FROM file_channels_message")
        await wait_until_async(lambda: len(order) == 3)
        assert order[2] == "missed"
        await one.publish(b"4")
        await wait_until_async(lambda: len(order) == 4)
        assert order[3] == Envelope("a", 4, b"4")


async def test_many_messages_at_once_all_come_in(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_module, "MOST_AT_ONCE", 7)
    async with process(path) as one:
        await one.broker.subscribe("a")
        rows = ", ".join(f"('a', '', '{number}', 0, 9e9)" for number in range(21))
        run_sql(path, SAY.format(rows))
        await wait_until_async(lambda: len(one.got) == 21)
        assert one.texts == [b"%d" % number for number in range(21)]
        assert one.missed == 0


async def test_a_history_that_is_kept_for_long_leaves_no_more_rows_than_it_has(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "FORGET_EVERY_S", -1)
    monkeypatch.setattr(work_module, "CARRIED_S", -1)
    monkeypatch.setattr(work_module, "MOST_FORGOTTEN", 4)
    async with process(path) as one:
        for number in range(20):
            await one.publish(b"%d" % number, kept=Kept(3, 86_400))
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT data FROM file_channels_message").fetchall()
    assert rows == [("17",), ("18",), ("19",)]


async def test_nobody_stays_for_as_long_as_a_clock_was_set_back(path: Path) -> None:
    async with process(path) as one, process(path) as killed:
        await killed.broker.enter("a", "ghost", b"{}")
        await one.broker.enter("a", "ann", b"{}")
        run_sql(path, "UPDATE file_channels_attendance SET until = until + 3600")
        assert await one.broker.present("a") == {}
        await one.broker.renew({"a": ["ann"]})
        assert await one.broker.present("a") == {"ann": b"{}"}


async def test_who_comes_and_goes_at_once_is_gone(path: Path) -> None:
    async with process(path) as one:
        with somebody_who_writes(path):
            coming = asyncio.create_task(one.broker.enter("a", "ann", b"{}"))
            going = asyncio.create_task(one.broker.leave("a", "ann"))
            await asyncio.sleep(0.05)
        await asyncio.gather(coming, going)
        assert await one.broker.present("a") == {}


async def test_a_message_that_cannot_be_taken_does_not_end_what_comes_after_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(looking_module, "AFTER_FAULT_S", 0)
    async with process(path) as one:

        def take(envelope: Envelope) -> None:
            if envelope.data == b"odd":
                raise RuntimeError("odd")
            one.got.append(envelope)

        one.broker.attach(take, lambda: None, one.changed.append)
        await one.broker.subscribe("a")
        await one.publish(b"odd")
        await one.publish(b"even")
        await wait_until_async(lambda: one.texts == [b"even"])
    assert "could not be taken" in caplog.text


async def test_nothing_is_opened_after_the_end(path: Path) -> None:
    async with process(path) as one:
        await one.publish(b"x")
    for asked in (one.publish(b"x"), one.broker.present("a"), one.broker.subscribe("a")):
        with pytest.raises(ChannelUnavailable):
            await asked
    await one.broker.close()
