"""What a client says first on a web socket, so that it is let stay there."""

from __future__ import annotations

from pathlib import Path

from fastforge.chaos.greeting import greetings
from fastforge.chaos.probing import Choice
from fastforge.management.commands.chaos import _found
from tests.folder import isolated

from .conftest import PROJECT, Lab

JOIN = '{"type":"join","channel":"news"}'


def choice(lab: Lab, named: Choice) -> Choice:
    with isolated(lab.folder.path) as folder:
        return _found(folder.load(), named)


def test_it_joins_every_channel_that_anybody_may_and_whose_name_is_known(lab: Lab) -> None:
    lab.write_channels("news", "room:{number:int}", "x" * 120, settings="path='/rooms'")
    found = choice(lab, Choice())
    assert found.sockets == ("/live", "/rooms")
    assert found.greetings == {"/rooms": (JOIN,)}
    named = choice(lab, Choice(sockets=("/rooms",)))
    assert (named.sockets, named.greetings) == ((), {"/rooms": (JOIN,)})


def test_where_there_is_none_the_socket_is_left_out_and_may_be_named(lab: Lab) -> None:
    lab.write_channels("room:{number:int}")
    found = choice(lab, Choice())
    assert found.sockets == ("/live",)
    assert [path for path, _ in found.left_out] == ["/channels"]


def test_without_channels_nothing_is_said(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write(PROJECT)
        assert greetings(folder.load()) == {}
