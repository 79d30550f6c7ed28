"""What channels do is measured, bounded in names, and told once where clients do not keep up."""

from __future__ import annotations

from typing import Any

import pytest

from fastforge.channels.rooms.counts import Counts, Tally
from fastforge.observability.metrics import Histogram, exporting, snapshot

from ..folder import ProjectFolder
from .live import Live, Somebody, live_with

ROOM = "room:{room_id:int}"


def measured(live: Live, name: str) -> dict[tuple[str, ...], Any]:
    """The values of a metric, by its labels."""
    found = snapshot(live.found.container)
    return {each.labels: each.value for each in found if each.metric.name == name}


def count(live: Live, name: str) -> dict[tuple[str, ...], int]:
    """How many values a histogram has, by its labels."""
    values = measured(live, name)
    assert all(isinstance(each, Histogram) for each in values.values())
    return {labels: value.count for labels, value in values.items()}


async def test_who_is_here_and_what_is_said_is_counted_by_channel(live: Live) -> None:
    with exporting(live.found.container):
        ann, bob = [await live.client(user=Somebody(id=number)) for number in range(2)]
        for client in (ann, bob):
            await client.join("room:1")
        await ann.join("room:99")
        await ann.join("nowhere:1")
        await ann.push("room:1", {"type": "say", "text": "hello"})
        await ann.push("room:1", {"type": "shout", "text": "fail"})
        await live.publish("News", "nobody is there")
        await live.publish("Room", "both", room_id=1)
        await live.until(lambda: measured(live, "channel.connections")["websocket",] == 2)
    assert measured(live, "channel.connections")["sse",] == 0
    assert measured(live, "channel.members") == {(ROOM,): 2, ("news",): 0}
    assert measured(live, "channel.rooms")[()] == 1
    assert measured(live, "channel.joins") == {
        (ROOM, "joined"): 2, (ROOM, "refused"): 1, ("__unmatched__", "refused"): 1,
    }  # fmt: skip
    assert measured(live, "channel.deliveries") == {(ROOM,): 3, ("news",): 0}
    assert count(live, "channel.handler.duration") == {
        (ROOM, "say", "ok"): 1, (ROOM, "shout", "failed"): 1,
    }  # fmt: skip
    assert count(live, "channel.publish.duration") == {(ROOM, "ok"): 2, ("news", "ok"): 1}
    assert count(live, "channel.delivery.duration") == {(ROOM,): 2}
    assert "channel.pubsub.connected" not in {
        each.metric.name for each in snapshot(live.found.container)
    }


async def test_whoever_leaves_is_counted_no_more(live: Live) -> None:
    ann = await live.client(user=Somebody())
    await ann.join("room:1")
    await ann.join("news")
    await ann.leave("news")
    assert measured(live, "channel.members") == {(ROOM,): 1, ("news",): 0}
    await ann.socket.close()
    assert measured(live, "channel.members") == {(ROOM,): 0, ("news",): 0}
    await live.until(lambda: measured(live, "channel.connections")["websocket",] == 0)


async def test_names_that_a_client_makes_up_make_no_series(live: Live) -> None:
    ann = await live.client(user=Somebody())
    before = len(snapshot(live.found.container))
    for number in range(100):
        await ann.join(f"made:up:{number}")
    assert len(snapshot(live.found.container)) == before + 1


async def test_a_connection_that_is_closed_from_here_is_counted_by_its_code(
    folder: ProjectFolder,
) -> None:
    async with live_with(folder, settings="messages_per_s=0.001, messages_burst=1") as live:
        ann, bob = await live.client(), await live.client()
        for _ in range(2):
            ann.send({"type": "ping"})
        assert (await ann.closed()).code == 4109
        await ann.socket.close()
        await bob.socket.close()
        assert measured(live, "channel.closes") == {("4109",): 1}
        assert measured(live, "channel.aborts")[()] == 0


async def test_what_a_client_that_does_not_read_has_waiting_and_missed_is_seen(
    folder: ProjectFolder, caplog: pytest.LogCaptureFixture
) -> None:
    async with live_with(folder, settings="queue_size=3") as live:
        ann = await live.client()
        await ann.join("news")
        ann.socket.stop_reading()
        for number in range(10):
            await live.publish("News", str(number))
        await live.until(lambda: measured(live, "channel.queue.depth")[()] == 3)
        assert measured(live, "channel.queue.size")[()] > 0
        dropped = measured(live, "channel.dropped")["news", "drop_oldest"]
        assert dropped in {6, 7}  # of ten, three wait; one more may be on its way
        await live.until(lambda: "do not keep up" in caplog.text)
    (line,) = [each for each in caplog.records if "do not keep up" in each.message]
    assert f"clients of News do not keep up: {dropped} messages were dropped" in line.message
    assert (line.levelname, vars(line)["overflow"]) == ("WARNING", "drop_oldest")


def test_one_line_a_minute_tells_of_clients_that_do_not_keep_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tally = Tally("news", "News", "drop_newest")
    tally.tell(0)
    for second in range(120):
        tally.dropped += 10
        tally.tell(second)
    assert [each.message.partition(":")[2].split()[0] for each in caplog.records] == ["10", "600"]


def test_that_a_value_has_replaced_another_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    tally = Tally("prices", "Prices", "conflate")
    tally.dropped = 10
    tally.tell(0)
    assert caplog.records == []
    tally.let_go = 1
    tally.tell(0)
    assert "0 messages were dropped, and 1 clients let go" in caplog.text


def test_a_hub_without_channels_counts_nothing() -> None:
    counts = Counts(())
    counts.tick((), 1)
    assert (counts.tallies, counts.connections) == ({}, {})
