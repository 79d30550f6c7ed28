"""Recovery: who comes back gets what was said meanwhile, or is told that it is not all there."""

from __future__ import annotations

from fastforge.channels.carrying.broker import Kept

from ..folder import ProjectFolder
from .live import Live, live_with


async def test_whoever_comes_back_gets_what_was_missed_once_and_in_order(live: Live) -> None:
    ann = await live.client()
    joined = await ann.join("news")
    await live.publish("News", "1")
    last = await ann.next()
    await ann.socket.close()
    for text in "23":
        await live.publish("News", text)
    again = await live.client()
    answer = await again.join("news", last_id=last["id"], epoch=joined["epoch"])
    assert (answer["recovered"], answer["last_id"]) == (True, last["id"] + 2)
    assert answer["history"] == 3  # so that a client knows whether a gap can be filled
    assert [(await again.next())["data"]["text"] for _ in "23"] == ["2", "3"]
    await live.publish("News", "4")
    assert (await again.next())["data"]["text"] == "4"
    await again.assert_no_push()


async def test_a_gap_can_be_filled_on_the_same_socket(live: Live) -> None:
    """By joining again from the last id, as our client does: nothing is missing then, or twice."""
    ann = await live.client()
    joined = await ann.join("news")
    for text in "12":
        await live.publish("News", text)
    answer = await ann.join("news", last_id=joined["last_id"], epoch=joined["epoch"])
    assert answer["recovered"] is True
    await live.publish("News", "3")
    got = [(await ann.next(lambda frame: frame["type"] == "message"))["data"]["text"]]
    while got[-1] != "3":
        got.append((await ann.next(lambda frame: frame["type"] == "message"))["data"]["text"])
    assert "".join(got[-3:]) == "123"
    assert len(live.hub.rooms["news"].members) == 1


async def test_more_than_may_wait_is_recovered_whole(folder: ProjectFolder) -> None:
    """The bounds are for clients that are behind; a history is as long as its channel says."""
    async with live_with(folder, settings="queue_size=1") as live:
        ann = await live.client()
        joined = await ann.join("news")
        for text in "123":
            await live.publish("News", text)
        again = await live.client()
        await again.join("news", last_id=joined["last_id"], epoch=joined["epoch"])
        assert [(await again.next())["data"]["text"] for _ in "123"] == ["1", "2", "3"]


async def test_more_bytes_than_a_replay_may_have_are_told_as_lost(folder: ProjectFolder) -> None:
    """A long history of large messages is not written at once to each of those who come back."""
    async with live_with(folder, settings="replay_bytes=1024") as live:
        ann = await live.client()
        joined = await ann.join("news")
        past = {"last_id": joined["last_id"], "epoch": joined["epoch"]}
        await live.publish("News", "x" * 600)
        again = await live.client()
        assert (await again.join("news", **past))["recovered"] is True
        assert len((await again.next())["data"]["text"]) == 600
        await live.publish("News", "y" * 600)
        third = await live.client()
        assert (await third.join("news", **past))["recovered"] is False
        await third.assert_no_push()
        await live.publish("News", "z")
        assert (await third.next())["data"]["text"] == "z"


async def test_more_than_is_kept_is_told_as_lost(live: Live) -> None:
    ann = await live.client()
    joined = await ann.join("news")
    for text in "1234":
        await live.publish("News", text)
    again = await live.client()
    answer = await again.join("news", last_id=joined["last_id"], epoch=joined["epoch"])
    assert (answer["type"], answer["recovered"]) == ("joined", False)
    await again.assert_no_push()


async def test_ids_of_another_life_of_the_process_are_worth_nothing(live: Live) -> None:
    ann = await live.client()
    await ann.join("news")
    await live.publish("News", "1")
    again = await live.client()
    assert (await again.join("news", last_id=0, epoch="another"))["recovered"] is False
    assert (await again.join("news", last_id=99))["recovered"] is False


async def test_whoever_never_had_anything_is_told_nothing_of_recovery(live: Live) -> None:
    ann = await live.client()
    await live.publish("News", "1")
    answer = await ann.join("news")
    assert ("recovered" in answer, answer["last_id"]) == (False, 1)
    await ann.assert_no_push()


async def test_a_channel_without_a_history_recovers_nothing(live: Live) -> None:
    from .live import Somebody

    ann = await live.client(user=Somebody())
    joined = await ann.join("room:7")
    answer = await ann.join("room:7", last_id=joined["last_id"], epoch=joined["epoch"])
    assert answer["recovered"] is False


async def test_nobody_gets_again_what_they_have_said_to_others(live: Live) -> None:
    """Not even on another socket: there they are another connection."""
    ann = await live.client()
    joined = await ann.join("news")
    await ann.socket.close()
    with live.here():
        for text, exclude in (("mine", ann.connection_id), ("yours", "somebody")):
            await live.channels.News.publish(live.channels.Said(text=text), exclude=exclude)
    again = await live.client()
    past = {"last_id": joined["last_id"], "epoch": joined["epoch"], "was": [ann.connection_id]}
    answer = await again.ask("join", channel="news", **past)
    assert answer["recovered"] is True
    assert (await again.next())["data"]["text"] == "yours"
    await again.assert_no_push()
    for was in ("c1", ["x"] * 17, [7]):
        assert (await again.ask("join", channel="news", was=was))["code"] == "bad_frame"


async def test_what_is_no_id_of_a_connection_excludes_nobody(live: Live) -> None:
    """A page may send the id along with a request, and so anything in its place."""
    ann = await live.client()
    await ann.join("news")
    with live.here():
        for exclude in ("a b", "x\n", "{}", "c" * 65, ""):
            await live.channels.News.publish(live.channels.Said(text="x"), exclude=exclude)
    broker, kept = live.hub.broker, Kept(10, 60)
    stand = await broker.recall("news", after=None, epoch="", kept=kept)
    past = await broker.recall("news", after=0, epoch=stand.epoch, kept=kept)
    assert {each.exclude for each in past.messages} == {""}
