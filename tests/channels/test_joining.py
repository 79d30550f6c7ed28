"""Joining: who may, what they are answered, and what they get from then on."""

from __future__ import annotations

from .live import Live, Somebody


async def test_whoever_has_joined_gets_what_is_published(live: Live) -> None:
    ann, bob = await live.client(user=Somebody()), await live.client(user=Somebody(id=2))
    answer = await ann.join("room:7")
    assert (answer["type"], answer["channel"], answer["last_id"]) == ("joined", "room:7", 0)
    assert (await bob.join("room:8"))["type"] == "joined"
    await live.publish("Room", "hello", room_id=7)
    said = await ann.assert_push(live.channels.Said, channel="room:7")
    assert said == live.channels.Said(text="hello")
    await bob.assert_no_push()


async def test_whoever_may_not_join_is_told_so_and_stays(live: Live) -> None:
    nobody, ann = await live.client(), await live.client(user=Somebody())
    for client, name, code in (
        (nobody, "room:7", "unauthenticated"),
        (ann, "room:12", "forbidden"),
        (ann, "room:x", "forbidden"),
        (ann, "nowhere", "forbidden"),
    ):
        answer = await client.join(name)
        assert (answer["type"], answer["code"], answer["channel"]) == ("error", code, name)
    assert (await ann.join("room:7"))["type"] == "joined"
    assert (await nobody.join("news"))["type"] == "joined"


async def test_whoever_has_left_gets_nothing_more(live: Live) -> None:
    ann = await live.client(user=Somebody())
    await ann.join("room:7")
    assert (await ann.leave("room:7"))["type"] == "left"
    await live.publish("Room", "hello", room_id=7)
    await ann.assert_no_push()
    assert (await ann.leave("room:7"))["code"] == "not_joined"
    await ann.join("room:7")
    await live.publish("Room", "again", room_id=7)
    await ann.assert_push(live.channels.Said(text="again"))


async def test_joining_twice_is_joining_once(live: Live) -> None:
    ann = await live.client(user=Somebody())
    await ann.join("room:7")
    await ann.join("room:7")
    await live.publish("Room", "hello", room_id=7)
    await ann.assert_push(live.channels.Said)
    await ann.assert_no_push()


async def test_a_socket_that_is_gone_leaves_nothing_behind(live: Live) -> None:
    ann = await live.client(user=Somebody())
    await ann.join("room:7")
    await ann.join("news")
    await ann.socket.close()
    hub = live.hub
    assert not hub.sockets
    assert [len(room.members) for room in hub.rooms.values()] == [0, 0]
    assert not hub.users.are_wanted


async def test_what_is_said_while_somebody_joins_comes_after_the_answer(live: Live) -> None:
    ann = await live.client(user=Somebody())
    ann.send({"type": "join", "ref": 1, "channel": "news"})
    await live.publish("News", "early")
    first = await ann.next()
    assert first["type"] == "joined"
    await live.publish("News", "late")
    texts = [(await ann.next())["data"]["text"]]
    if texts == ["early"]:
        texts.append((await ann.next())["data"]["text"])
    assert texts[-1] == "late"
