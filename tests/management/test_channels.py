"""`channels publish`, `channels docs` and `inspect channels`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.folder import ProjectFolder

from .conftest import Shell

CHANNELS = '''
    import enum
    from datetime import datetime
    from typing import Literal

    from pydantic import BaseModel, Field

    from fastforge.channels import Channel, Connection, receives

    class Size(enum.Enum):
        SMALL = "small"
        LARGE = "large"

    class Parcel(BaseModel):
        size: Size
        tags: list[str] = []
        at: datetime | None = None
        place: tuple[float, float] = (0, 0)
        more: dict[str, int] = {}

    class Placed(BaseModel):
        """An order is there.

        With its parcel.
        """

        type: Literal["placed"] = "placed"
        order_id: int = Field(description="Its number.")
        parcel: Parcel

    class Cancel(BaseModel):
        type: Literal["cancel"] = "cancel"
        why: str = ""

    class Orders(Channel, pattern="orders:{user_id:int}:{year}", history=5):
        """The orders of one user."""

        Incoming = Cancel
        Outgoing = Placed | Cancel

        async def authorize(self, connection: Connection) -> bool:
            return True

        @receives
        async def cancel(self, message: Cancel) -> None: ...

    class News(Channel, pattern="news", public=True, overflow="conflate", conflate_by="why"):
        Outgoing = Cancel
'''
TYPES = """// Written by `manage channels docs --format typescript`.

export interface Cancel_Input {
  type: "cancel";
  why?: string;
}

export interface Cancel_Output {
  type: "cancel";
  why: string;
}

export interface Parcel {
  size: Size;
  tags: Array<string>;
  at: string | null;
  place: [number, number];
  more: Record<string, number>;
}

/**
 * An order is there.
 *
 * With its parcel.
 */
export interface Placed {
  type: "placed";
  /** Its number. */
  order_id: number;
  parcel: Parcel;
}

export type Size = "small" | "large";

/** `Channels["room:7"]["outgoing"]` is what a client gets there. */
export interface Channels {
  [channel: `orders:${number}:${string}`]: { incoming: Cancel_Input; outgoing: Placed | NEXT };
  "news": { incoming: never; outgoing: Cancel_Output };
}
""".replace("NEXT", "Cancel_Output")
CARRIER = """
    from fastforge import resource
    from fastforge.channels.carrying.memory import MemoryBroker

    class Carrier(MemoryBroker):
        reaches_other_processes = True

        async def publish(self, name, data, *, exclude, kept):
            print(name, data.decode(), kept)
            return 1

    @resource
    async def carrier():
        yield Carrier()
"""
BACKEND = """
    from fastforge.channels import ChannelBackend

    from .resources import carrier

    CARRIER = ChannelBackend(name="carrier", resource=carrier)
"""


@pytest.fixture
def talk(shop: ProjectFolder) -> ProjectFolder:
    """A project with two channels."""
    shop.write({"shop/notes/channels.py": CHANNELS})
    return shop


@pytest.fixture
def carried(talk: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    """The same, with something that carries messages to other processes."""
    monkeypatch.setenv("FASTFORGE_ENV", "development")
    talk.write({"shop/notes/resources.py": CARRIER, "shop/notes/channel_backends.py": BACKEND})
    return talk


def test_a_message_is_published_as_the_code_would(carried: ProjectFolder, manage: Shell) -> None:
    result = manage("channels", "publish", "orders:7:2026", '{"type": "cancel", "why": "late"}')
    assert result.code == 0, result.err
    assert result.out.splitlines()[-2:] == [
        'orders:7:2026 {"type":"cancel","why":"late"} Kept(count=5, ttl_s=300)',
        "published in orders:7:2026: Cancel",
    ]


def test_a_message_is_read_from_standard_input(
    carried: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"type": "cancel"}\n'))
    assert "published in news: Cancel" in manage("channels", "publish", "news", "-").out


def test_a_message_that_would_reach_nobody_is_refused(
    talk: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTFORGE_ENV", "development")
    result = manage("channels", "publish", "news", '{"type": "cancel"}')
    assert result.code == 2
    assert "[channels.E021]" in result.err
    assert "CHANNELS.backend is memory" in result.err


@pytest.mark.parametrize(
    ("name", "message", "told"),
    [
        ("order:7:2026", "{}", "[channels.E030] 'order:7:2026' is the name of no channel"),
        ("orders:x:2026", "{}", "[channels.E030]"),
        ("news", "{", "[channels.E031] this cannot be published in News: it is no JSON, EOF"),
        ("news", "[]", "[channels.E031] this cannot be published in News: the type is one of"),
        ("news", '{"type": "placed"}', "[channels.E031]"),
        ("orders:7:1", '{"type": "placed", "order_id": "x"}', "order_id: Input should be a valid"),
    ],
)
def test_what_does_not_fit_is_told(
    carried: ProjectFolder, manage: Shell, name: str, message: str, told: str
) -> None:
    result = manage("channels", "publish", name, message)
    assert (result.code, result.out) == (2, "")
    assert told in result.err


def test_the_document_has_every_channel_and_what_is_said_there(
    talk: ProjectFolder, manage: Shell
) -> None:
    document = json.loads(manage("channels", "docs").out)
    assert (document["asyncapi"], document["info"]["title"]) == ("3.0.0", "shop")
    orders = document["channels"]["Orders"]
    assert orders["address"] == "orders:{user_id}:{year}"
    assert orders["description"] == "The orders of one user."
    assert orders["parameters"] == {"user_id": {"description": "A whole number."}, "year": {}}
    assert list(orders["messages"]) == ["Cancel-Input", "Placed", "Cancel-Output"]
    assert {name: each["action"] for name, each in document["operations"].items()} == {
        "News.send": "send",
        "Orders.receive": "receive",
        "Orders.send": "send",
    }
    assert {"required": ["type", "order_id", "parcel"]}.items() <= document["components"][
        "schemas"
    ]["Placed"].items()


def test_every_reference_of_the_document_leads_somewhere(
    talk: ProjectFolder, manage: Shell
) -> None:
    document = json.loads(manage("channels", "docs").out)
    found = [*references(document)]
    assert len(found) > 8
    for reference in found:
        value = document
        for part in reference.removeprefix("#/").split("/"):
            value = value[part]


def references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [each for inner in value.values() for each in references(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in references(inner)]
    return []


def test_the_types_are_those_of_the_messages_as_they_are_sent(
    talk: ProjectFolder, manage: Shell
) -> None:
    assert manage("channels", "docs", "--format", "typescript").out == TYPES


def test_a_file_that_is_not_up_to_date_is_found(talk: ProjectFolder, manage: Shell) -> None:
    docs = ("channels", "docs", "--format", "typescript")
    assert manage(*docs, "--check", "channels.ts").code == 2
    assert manage(*docs, "--output", "channels.ts").out == "wrote channels.ts\n"
    assert manage(*docs, "--check", "channels.ts").code == 0
    Path("channels.ts").write_text(TYPES.replace("order_id", "number"))
    again = manage(*docs, "--check", "channels.ts")
    assert again.code == 1
    assert "+  order_id: number;" in again.out.splitlines()


def test_a_project_without_channels_has_nothing_to_describe(
    shop: ProjectFolder, manage: Shell
) -> None:
    result = manage("channels", "docs")
    assert result.code == 2
    assert "[channels.E032]" in result.err


def test_channels_are_listed_with_their_names_and_messages(
    talk: ProjectFolder, manage: Shell
) -> None:
    lines = [line.split() for line in manage("inspect", "channels").out.splitlines()]
    assert lines[0] == [
        "NAME", "PATTERN", "INCOMING", "OUTGOING", "OVERFLOW", "HISTORY", "JOINS", "WHERE",
    ]  # fmt: skip
    assert lines[1][1:-1] == [
        "orders:{user_id:int}:{year}", "Cancel", "Placed", "drop_oldest", "5", "authorize",
    ]  # fmt: skip
    assert lines[2] == ["Cancel"]
    assert lines[3][1:5] == ["news", "Cancel", "conflate", "anybody"]
