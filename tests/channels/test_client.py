"""The JavaScript client, in a real browser, before a server that does what real ones seldom do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from fastforge import __version__
from fastforge.channels.script import CLIENT_FOLDER, client_script
from scripts import minify_channels_client

from .browsing import FakedPage, launched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Page:
    page = browser.new_page()
    page.clock.install(time=0)
    page.clock.pause_at(1)
    return page


@pytest.fixture
def page(tab: Page) -> Iterator[FakedPage]:
    page = FakedPage(tab)
    yield page
    assert page.errors == []
    assert [each for each in page.told if each[0] == "unhandled"] == []
    page.leave()


# --- the files ---


def test_what_is_served_is_small_and_made_of_the_source() -> None:
    """Run scripts/minify_channels_client.py after a change."""
    source = minify_channels_client.SOURCE.read_bytes()
    assert client_script().body.decode().startswith(minify_channels_client.header(source))
    assert len(client_script().body) <= 4096


def test_the_folder_is_a_package() -> None:
    package = json.loads((CLIENT_FOLDER / "package.json").read_text())
    assert all((CLIENT_FOLDER / name).is_file() for name in package["files"])
    assert "dependencies" not in package
    assert package["version"] == __version__
    assert (CLIENT_FOLDER / "README.md").is_file()


def test_the_types_name_what_there_is(page: FakedPage) -> None:
    types = (CLIENT_FOLDER / "fastforge-channels.d.ts").read_text()

    def found(pattern: str, text: str = types) -> set[str]:
        return set(re.findall(pattern, text, re.MULTILINE))

    def members(interface: str) -> set[str]:
        body = types.partition(f"interface {interface}")[2].partition("\n}")[0]
        return found(r"^  (?:readonly )?(\w+)\??[<(:]", body)

    page.enter()
    there = page.run("return [Object.keys(await import('/client.js')), Object.keys(channels)]")
    assert set(there[0]) == found(r"^export (?:class|function) (\w+)")
    assert set(there[1]) == members("Socket ") | members("Channels ")
    assert set(page.run("return Object.keys(room)")) == members("Room<")
    assert members("TypedChannels<") == members("Channels ")


# --- rooms ---


def test_a_room_is_joined_once_there_is_a_socket_and_hears_what_is_said(page: FakedPage) -> None:
    page.run("begin(); enter('room'); enter('other')")
    assert page.run("return [sockets[0].url, sockets[0].protocols]") == [
        "ws://faked.test/channels", ["fastforge"],
    ]  # fmt: skip
    page.say("welcome", connection="c1")
    joins = page.sent
    assert [(frame["type"], frame["channel"]) for frame in joins] == [
        ("join", "room"), ("join", "other"),
    ]  # fmt: skip
    page.say("joined", ref=joins[0]["ref"], channel="room", epoch="e", last_id=5)
    page.say("message", channel="room", id=6, data={"text": "six"})
    page.say("message", channel="room", data={"text": "to this one alone"})
    page.say("message", channel="other", id=7, data={"text": "before it has joined"})
    page.say("gap", channel="room", dropped=3)
    assert page.told == [
        ["connecting"], ["open"], ["room", "joined", None], ["room", "message", "six"],
        ["room", "message", "to this one alone"], ["room", "gap", 3],
    ]  # fmt: skip


def test_a_room_goes_on_where_it_stood_with_nothing_twice(page: FakedPage) -> None:
    page.enter()
    for number in (6, 7):
        page.say("message", channel="room", id=number, data={"text": number})
    page.end(1012)
    page.wait(1)
    page.say("welcome", connection="c2")
    (join,) = page.sent
    assert (join["last_id"], join["epoch"]) == (7, "e")
    page.say("joined", ref=join["ref"], channel="room", epoch="e", last_id=9, recovered=True)
    for number in (7, 8, 9):
        page.say("message", channel="room", id=number, data={"text": number})
    messages = [each for each in page.told if each[0] == "room"]
    assert messages == [
        ["room", "message", 6], ["room", "message", 7], ["room", "left", 1012],
        ["room", "joined", True], ["room", "message", 8], ["room", "message", 9],
    ]  # fmt: skip


def test_a_gap_is_filled_from_the_history_and_nothing_is_told(page: FakedPage) -> None:
    page.enter(history=100)
    page.say("gap", channel="room", dropped=3, last_id=8)
    assert page.sent == []  # all who were here have the same gap: not all of them ask at once
    page.wait(0.5)
    (join,) = page.sent
    assert (join["type"], join["last_id"], join["epoch"]) == ("join", 5, "e")
    page.say("message", channel="room", id=9, data={"text": "of the membership before"})
    page.say("joined", ref=join["ref"], channel="room", epoch="e", last_id=9, recovered=True)
    for number in (6, 7, 8, 9):
        page.say("message", channel="room", id=number, data={"text": number})
    assert page.told == [["room", "message", number] for number in (6, 7, 8, 9)]
    page.end(1012)
    assert page.told == [["room", "left", 1012], ["waiting", 1012, 500]]


def test_a_gap_that_cannot_be_filled_is_told_once_that_is_known(page: FakedPage) -> None:
    page.enter(history=100)
    page.say("gap", channel="room", dropped=3)
    page.wait(0.5)
    (join,) = page.sent
    page.say("error", ref=join["ref"], channel="room", code="unavailable", message="no Redis")
    page.wait(1)
    assert page.told == []
    page.joined(epoch="another", last_id=1, recovered=False, history=100)
    assert page.told == [["room", "gap", 3]]
    page.say("gap", channel="room", dropped=4)
    page.end(1006)
    assert page.told[0] == ["room", "left", 1006]
    page.wait(0.5)
    page.say("welcome", connection="c2")
    page.joined(epoch="another", last_id=9, recovered=False)
    assert page.told[-1] == ["room", "joined", False]


def test_a_room_that_is_no_more_after_a_gap_was_left_and_is_refused(page: FakedPage) -> None:
    page.enter(history=100)
    page.say("gap", channel="room", dropped=3)
    page.wait(0.5)
    (join,) = page.sent
    page.say("error", ref=join["ref"], channel="room", code="forbidden", message="no")
    assert page.told == [["room", "left", None], ["room", "refused", "forbidden"]]


def test_a_room_that_begins_anew_counts_anew(page: FakedPage) -> None:
    page.enter()
    page.end(1006)
    page.wait(1)
    page.say("welcome", connection="c2")
    page.joined(epoch="another", last_id=0, recovered=False)
    page.say("message", channel="room", id=1, data={"text": "first"})
    assert page.told[-2:] == [["room", "joined", False], ["room", "message", "first"]]
    page.end(1006)
    page.wait(1)
    page.say("welcome", connection="c3")
    (join,) = page.sent
    assert (join["last_id"], join["epoch"]) == (1, "another")


def test_what_passes_is_tried_again_and_what_does_not_is_told(page: FakedPage) -> None:
    page.run("begin(); enter('room'); window.other = enter('other')")
    page.say("welcome", connection="c1")
    room, other = page.sent
    page.say("error", ref=room["ref"], channel="room", code="unavailable", message="no Redis")
    page.say("error", ref=other["ref"], channel="other", code="forbidden", message="no")
    assert page.told[-1] == ["other", "refused", "forbidden"]
    page.wait(0.5)
    (again,) = page.sent
    assert (again["type"], again["channel"]) == ("join", "room")
    assert page.run("return other.state") == "refused"


def test_many_rooms_are_joined_a_few_at_a_time(page: FakedPage) -> None:
    page.run("begin(); for (let n = 0; n < 40; n++) enter(`room:${n}`)")
    page.say("welcome", connection="c1")
    joins = page.sent
    assert len(joins) == 16
    page.say("joined", ref=joins[0]["ref"], channel="room:0", epoch="e", last_id=0)
    assert [frame["channel"] for frame in page.sent] == ["room:16"]


def test_a_room_that_was_left_hears_nothing_and_can_be_joined_again(page: FakedPage) -> None:
    page.enter()
    page.run("room.leave(); window.room = enter('room')")
    leave, join = page.sent
    assert (leave["type"], join["type"]) == ("leave", "join")
    page.say("message", channel="room", id=6, data={"text": "of before"})
    page.say("left", ref=leave["ref"], channel="room")
    page.say("joined", ref=join["ref"], channel="room", epoch="e", last_id=6)
    assert page.told == [["room", "left", None], ["room", "joined", None]]
    assert page.run("try { enter('room') } catch (e) { return e.message }") == (
        "room is joined already"
    )


# --- pushes ---


def test_a_push_has_its_answer_or_its_error(page: FakedPage) -> None:
    page.enter()
    page.run("window.first = room.push({ text: 'hi' }); window.second = room.push({})")
    first, second = page.sent
    assert (first["type"], first["channel"], first["data"]) == ("push", "room", {"text": "hi"})
    errors = [{"loc": ["text"]}]
    page.say("error", ref=second["ref"], code="invalid", message="no text", errors=errors)
    page.say("ok", ref=first["ref"], data={"id": 7})
    assert page.run("return first") == {"id": 7}
    assert page.run("return second.catch((e) => [e.name, e.code, e.message, e.errors])") == [
        "ChannelError", "invalid", "no text", errors,
    ]  # fmt: skip


def test_a_push_without_an_answer_fails_when_the_socket_goes(page: FakedPage) -> None:
    page.enter()
    page.run("window.push = room.push({}); room.push({})")
    page.end(1006)
    assert page.run("return push.catch((error) => error.code)") == "gone"


def test_a_push_waits_for_the_join_and_not_for_ever(page: FakedPage) -> None:
    page.run("begin(); window.room = enter('room'); window.early = room.push({ text: 'early' })")
    page.say("welcome", connection="c1")
    (join,) = page.sent
    page.say("joined", ref=join["ref"], channel="room", epoch="e", last_id=5)
    assert [frame["data"] for frame in page.sent] == [{"text": "early"}]
    page.end(1012)
    page.run("window.late = room.push({})")
    page.wait(10)
    assert page.run("return late.catch((error) => error.code)") == "away"
    assert page.run("return early.catch((error) => error.code)") == "gone"


# --- coming back ---


def test_after_most_codes_it_comes_back_and_after_some_it_stops_and_tells(page: FakedPage) -> None:
    page.enter()
    for code in (1000, 1006, 1011, 1012, 4100, 4108, 4109, 4001, 4003, 4099):
        comes_back = not 4000 <= code < 4100
        page.end(code)
        states = [each for each in page.told if each[0] in ("waiting", "closed")]
        assert states == [["waiting", code, 500] if comes_back else ["closed", code]]
        before = page.sockets
        page.wait(0.5)
        assert page.sockets - before == comes_back
        if not comes_back:
            page.wait(100)
            assert page.sockets == before
            page.run("channels.open()")
        page.say("welcome", connection="c")
        page.joined()
        page.wait(10)


def test_an_overloaded_server_is_left_alone_for_long(page: FakedPage) -> None:
    page.enter()
    page.end(1013)
    assert page.told[-1] == ["waiting", 1013, 45_000]
    page.run("dispatchEvent(new Event('online'))")
    page.wait(44)
    assert page.sockets == 1
    page.wait(1)
    assert page.sockets == 2


def test_the_pause_doubles_until_a_socket_was_stable(page: FakedPage) -> None:
    page.enter()
    pauses = []
    for _ in range(7):
        page.end(1006)
        pauses.append(page.told[-1][2])
        page.wait(pauses[-1] / 1000)
        page.say("welcome", connection="c")
        page.wait(9)
    assert pauses == [500, 1000, 2000, 4000, 8000, 15_000, 15_000]
    page.wait(1)
    page.end(1006)
    assert page.told[-1] == ["waiting", 1006, 500]


def test_a_silent_server_is_asked_and_given_up(page: FakedPage) -> None:
    page.enter()
    page.wait(29)
    assert page.sent == []
    page.wait(1)
    (ping,) = page.sent
    assert ping["type"] == "ping"
    page.say("pong", ref=ping["ref"])
    page.wait(30)
    assert [frame["type"] for frame in page.sent] == ["ping"]
    page.wait(10)
    assert page.told == [["room", "left", 1006], ["waiting", 1006, 500]]
    assert page.run("return sockets[0].readyState") == 3
    page.run("sockets[0].onclose({ code: 1006, reason: '' })")
    assert page.told == []


def test_a_server_that_does_not_welcome_is_given_up(page: FakedPage) -> None:
    page.run("begin(); enter('room')")
    page.run("sockets[0].readyState = 0")
    page.wait(20)
    assert page.told[-1] == ["waiting", 1006, 500]
    page.run("sockets[0].onopen()")
    assert page.run("return sockets[0].readyState") == 3


def test_a_network_that_is_back_is_used_at_once_and_one_that_goes_is_asked(page: FakedPage) -> None:
    page.enter()
    page.run("dispatchEvent(new Event('offline'))")
    assert [frame["type"] for frame in page.sent] == ["ping"]
    page.wait(10)
    for _ in range(5):
        page.wait(page.told[-1][2] / 1000)
        page.end(1006)
    page.run("dispatchEvent(new Event('online'))")
    page.wait(0.5)
    assert page.run("return channels.state") == "connecting"
    page.say("welcome", connection="c2")
    page.run("sockets.at(-1).sent = []; document.dispatchEvent(new Event('visibilitychange'))")
    assert [frame["type"] for frame in page.sent] == ["ping"]


def test_a_page_that_nobody_sees_is_in_no_hurry_and_comes_back_all_the_same(
    page: FakedPage,
) -> None:
    page.enter()
    for _ in range(5):
        page.end(1006)
        page.wait(page.told[-1][2] / 1000)
    page.end(1006)
    hide = "Object.defineProperty(document, 'visibilityState', { value: %r, configurable: true })"
    page.run(f"{hide % 'hidden'}; dispatchEvent(new Event('online'))")
    page.wait(1)
    assert page.run("return channels.state") == "waiting"
    page.run(f"{hide % 'visible'}; document.dispatchEvent(new Event('visibilitychange'))")
    page.wait(0.5)
    assert page.run("return channels.state") == "connecting"
    page.end(1006)
    page.run(hide % "hidden")
    page.wait(15)
    assert page.run("return channels.state") == "connecting"
    page.run("delete document.visibilityState")


def test_with_no_room_left_nobody_comes_back(page: FakedPage) -> None:
    page.enter()
    page.run("room.leave()")
    page.end(1008)
    assert page.told[-1] == ["idle", 1008]
    page.run("enter('other')")
    assert page.sockets == 2
    page.end(1006)
    page.run("channels.close()")
    page.wait(3600)
    assert (page.sockets, page.run("return channels.state")) == (2, "closed")


# --- tokens ---


def test_each_connection_shows_a_fresh_token(page: FakedPage) -> None:
    page.run("let n = 0; begin({ token: async () => `token-${++n}` }); enter('room')")
    for number in (1, 2):
        assert page.run("return sockets.at(-1).protocols") == ["fastforge", f"token.token-{number}"]
        page.end(4100)
        page.wait(page.told[-1][2] / 1000)


def test_a_token_that_fits_in_no_header_is_the_first_frame(page: FakedPage) -> None:
    page.run("begin({ token: async () => 'a b/c=' }); enter('room')")
    assert page.run("return sockets[0].protocols") == ["fastforge"]
    page.say("welcome", connection="c1")
    (authenticate,) = page.sent
    assert authenticate["token"] == "a b/c="
    page.say("ok", ref=authenticate["ref"])
    assert [frame["type"] for frame in page.sent] == ["join"]


def test_a_token_that_ends_is_replaced(page: FakedPage) -> None:
    page.run("let n = 0; begin({ token: async () => `token-${++n}` }); enter('room')")
    page.say("welcome", connection="c1")
    page.joined()
    page.say("expiring", in_s=30)
    (authenticate,) = page.sent
    assert (authenticate["type"], authenticate["token"]) == ("authenticate", "token-2")
    page.say("error", ref=authenticate["ref"], code="other_user", message="open another")
    assert page.told[-1] == ["waiting", 4100, 500]
    page.wait(0.5)
    assert page.run("return sockets.at(-1).protocols") == ["fastforge", "token.token-3"]


def test_a_token_that_cannot_be_had_now_is_asked_for_later(page: FakedPage) -> None:
    page.run("begin({ token: async () => { throw new Error('offline') } }); enter('room')")
    assert page.told == [["connecting"], ["waiting", 1006, 500]]
    page.wait(0.5)
    assert page.told == [["connecting"], ["waiting", 1006, 1000]]
    assert page.sockets == 0
