"""Declaring: what a class has to say, and how a mistake in it is told."""

from __future__ import annotations

import re
import textwrap
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from fastforge.channels import Channel, Connection, receives
from fastforge.checks import run_checks
from fastforge.exceptions import ComponentError
from fastforge.test import run_command
from fastforge.test.lifespan import application_of

from ..folder import ProjectFolder


class Said(BaseModel):
    type: Literal["said"] = "said"
    symbol: str = ""


class Say(BaseModel):
    type: Literal["say"] = "say"


class Also(BaseModel):
    type: Literal["say"] = "say"


class Untyped(BaseModel):
    text: str


class Loose(BaseModel):
    type: str = "loose"


class Shout(BaseModel):
    type: Literal["shout"] = "shout"


class Renamed(BaseModel):
    type: Literal["renamed"] = Field(default="renamed", serialization_alias="kind")


class Short(BaseModel):
    type: Literal["short"] = "short"
    symbol: str = Field(default="", serialization_alias="s")


MODELS = """from typing import Literal
from pydantic import BaseModel
from fastforge.channels import Channel

class Said(BaseModel):
    type: Literal["said"] = "said"

"""


def refusal(body: str, head: str = 'pattern="room:{room_id:int}", public=True') -> str:
    """Return how the declaration of a channel is refused."""
    names = {**globals(), "__name__": __name__}
    source = f"class Room(Channel, {head}):\n{textwrap.indent(textwrap.dedent(body), '    ')}"
    with pytest.raises(ComponentError) as refused:
        exec(compile(source, "a_test.py", "exec"), names)
    return str(refused.value)


@pytest.mark.parametrize(
    ("body", "head", "told"),
    [
        ("pass", 'pattern="room:{x:float}", public=True', "[channels.E001]"),
        ("Outgoing = int", None, "[channels.E002] Room.Outgoing: int is no model; write pydantic"),
        (
            "Outgoing = [Said, Say]",
            None,
            "[channels.E002] Room.Outgoing: a list of Said, Say is no model; write Outgoing = Said"
            " | Say",
        ),
        ("Incoming = 'Say'", None, "Room.Incoming: 'Say' is no model; write pydantic models: Inco"),
        ("Outgoing = Untyped", None, "[channels.E002] Room.Outgoing: Untyped has no type of its"),
        (
            "Outgoing = Said | Loose",
            None,
            "[channels.E002] Room.Outgoing: Loose has no type of its",
        ),
        ("Incoming = Say | Also", None, "[channels.E003] Room.Incoming: Say and Also both have"),
        ("pass", 'pattern="a", pulbic=True', "did you mean 'public'?"),
        ("pass", 'pattern="a", public=True, overflow="drop_newst"', "did you mean 'drop_newest'?"),
        ("pass", 'pattern="a", public=True, overflow="conflate"', "[channels.E004]"),
        ("pass", 'pattern="a", public=True, conflate_by="symbol"', "[channels.E004]"),
        (
            "Outgoing = Said",
            'pattern="a", public=True, overflow="conflate", conflate_by="symbl"',
            "did you mean 'symbol'?",
        ),
        ("pass", 'pattern="a"', "[channels.E005] Room does not say who may join"),
        (
            "async def authorize(self) -> bool: ...",
            None,
            "[channels.E005] Room is public and has an `authorize`",
        ),
        (
            "async def authorise(self) -> bool: ...",
            'pattern="a"',
            "[channels.E005] Room does not say who may join; 'authorise' is called by nobody: did"
            " you mean 'authorize'?",
        ),
        (
            "async def authorise(self) -> bool: ...",
            None,
            "[channels.E006] Room has a method that nobody calls; 'authorise' is called by nobody:"
            " did you mean 'authorize'?",
        ),
        ("async def joind(self) -> None: ...", None, "did you mean 'joined'?"),
        ("Incoming = Say", None, "[channels.E006] Room has no method for Say"),
        (
            "Incoming = Say\n@receives\ndef say(self, message: Say) -> None: ...",
            None,
            "[channels.E006] Room.say is no async function",
        ),
        (
            "Incoming = Say\n@receives\nasync def say(self, message: Said = None) -> None: ...",
            None,
            "[channels.E006] Room.say takes no message of Incoming",
        ),
        (
            "Incoming = Say\n@receives\nasync def say(self, message: Say) -> None: ...\n"
            "@receives\nasync def tell(self, message: Say) -> None: ...",
            None,
            "[channels.E006] Room.tell is the second for it",
        ),
        (
            "Incoming = Say\n@receives\nasync def say(self, message: Say, romm_id: int): ...",
            None,
            "[channels.E007] the parameter 'romm_id' of Room.say cannot be filled; did you mean"
            " 'room_id'?",
        ),
        (
            "Incoming = Say\n@receives\nasync def say(self, message: Said) -> None: ...",
            None,
            "'message' of Room.say cannot be filled; Incoming has Say; a method that clients call",
        ),
        (
            "@receives\nasync def say(self, message: Say) -> None: ...",
            None,
            "'message' of Room.say cannot be filled; there is no Incoming",
        ),
        (
            "Incoming = Say\n@receives\nasync def say(self, message) -> None: ...",
            None,
            "'message' of Room.say cannot be filled; annotate it: message: Say",
        ),
        (
            "Incoming = Say | Also\n@receives\nasync def say(self, message: Say | Also): ...",
            None,
            "[channels.E003]",
        ),
        (
            "Incoming = Say | Shout\n@receives\nasync def say(self, message: Say | Shout): ...",
            None,
            "a method takes one kind of message: write one for each",
        ),
        (
            "async def joined(self, connection) -> None: ...",
            None,
            "'connection' of Room.joined cannot be filled; annotate it: connection: Connection",
        ),
        (
            "async def joined(self, room_id: str) -> None: ...",
            None,
            "[channels.E007] the parameter 'room_id' of Room.joined is annotated with str, and the"
            " pattern gives int; write room_id: int",
        ),
        ("pattern = 'room'", None, "Room has pattern in its body, where it does nothing"),
        ("history = 7", "", "Room has history in its body, where it does nothing; write it beside"),
        ("Incoming: Say", None, "[channels.E004] Room.Incoming has no value; write `Incoming ="),
        ("def publish(self) -> None: ...", None, "Room.publish hides what every channel has"),
        ("async def name(self) -> None: ...", None, "Room.name hides what every channel has"),
        ("pass", 'pattern="a:{message}", public=True', "cannot be called 'message'; publishing"),
        ("pass", 'pattern="a:{class}", public=True', "a parameter cannot be called 'class'"),
        ("pass", 'pattern="a", public=True, queue_size=0', "Room has queue_size=0; it is a number"),
        ("pass", 'pattern="a", public=True, history=-1', "Room has history=-1; it is a number"),
        ("pass", 'pattern="a", public=True, history_ttl_s=0', "Room has history_ttl_s=0; it is a"),
        ("pass", 'pattern="a", public="yes"', "Room has public='yes'; it is True or False"),
        ("Outgoing = Renamed", None, "[channels.E002] Room.Outgoing: the type of Renamed is"),
        (
            "Outgoing = Said | Short",
            'pattern="a", public=True, overflow="conflate", conflate_by="symbol"',
            "keeps the latest by 'symbol', which is s and symbol in JSON",
        ),
    ],
)
def test_a_mistake_is_told_where_it_was_made(body: str, head: str | None, told: str) -> None:
    text = refusal(body, head) if head is not None else refusal(body)
    assert told in re.sub(r"\S+:\d+: ", "", text), text


def test_a_class_without_a_pattern_is_a_base_for_others() -> None:
    class Base(Channel, history=7, overflow="disconnect"):
        Outgoing = Said

        async def authorize(self, connection: Connection) -> bool:
            return False

    class Derived(Base, pattern="derived", history=9):
        pass

    assert Base.pattern is None
    assert Derived.outgoing.by_type == {"said": Said}
    assert (Derived.bounds.history, Derived.bounds.overflow) == (9, "disconnect")
    assert Derived.authorizer is not None


async def helper(self: object) -> None: ...


def test_a_method_that_a_hook_is_not_mistaken_for_is_somebody_s_own() -> None:
    class Room(Channel, pattern="room", public=True):
        joined = helper
        join = helper
        authorize_later = helper
        _authorise = helper

    class Kept(Channel, pattern="kept"):
        async def authorize(self) -> bool:
            return await self.authorized()

        async def authorized(self) -> bool:
            return True

    assert set(Room.hooks) == {"joined"}
    assert Kept.authorizer is not None


@pytest.mark.parametrize(
    ("body", "more", "is_told"),
    [
        ("async def authorize(self) -> bool:\n        return True", "", True),
        ("Outgoing = Said", "", True),
        ("Outgoing = Said", "class News(Base, pattern='news', public=True):\n    pass", False),
        ("def own(self) -> int:\n        return 7", "", False),
    ],
)
def test_a_channel_whose_pattern_was_forgotten_is_told_of(
    folder: ProjectFolder, body: str, more: str, is_told: bool
) -> None:
    folder.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.talk"]',
            "shop/talk/channels.py": MODELS + f"\nclass Base(Channel):\n    {body}\n\n{more}\n",
        }
    )
    found = run_command(folder.load(), "check").output
    told = "shop/talk/channels.py:9: Base has no pattern, so that nobody can join it"
    assert ("warning [channels.W002]" in found, told in found) == (is_told, is_told), found


def test_annotations_that_a_value_fits_are_as_good() -> None:
    class Room(Channel, pattern="room:{room_id:int}", public=True):
        async def joined(self, room_id: int | None) -> None: ...

        async def left(self, room_id: Annotated[float, "a number"]) -> None: ...

    class Other(Channel, pattern="other:{room_id:int}", public=True):
        async def joined(self, room_id) -> None:  # type: ignore[no-untyped-def]
            ...

        async def left(self, room_id: object) -> None: ...

    assert sorted(Room.hooks) == sorted(Other.hooks) == ["joined", "left"]


def test_handlers_and_hooks_are_found() -> None:
    class Room(Channel, pattern="room:{room_id:int}", public=True):
        Incoming = Say

        @receives
        async def say(self, message: Say, connection: Connection, room_id: int) -> None: ...

        async def joined(self, room_id: int) -> None: ...

        async def left(self) -> None: ...

    assert dict(Room.handlers[Say].sources) == {
        "message": "message", "connection": "connection", "room_id": "room_id",
    }  # fmt: skip
    assert sorted(Room.hooks) == ["joined", "left"]


TWO = """
    from fastforge.channels import Channel

    class One(Channel, pattern="room:{name}", public=True):
        pass

    class Two(Channel, pattern="room:{number:int}", public=True):
        pass
"""


def test_two_channels_that_a_name_may_belong_to_are_refused(folder: ProjectFolder) -> None:
    folder.write(
        {"shop/settings.py": 'INSTALLED_APPS = ["shop.talk"]', "shop/talk/channels.py": TWO}
    )
    told = "'room:{number:int}' of Two and 'room:{name}' of One may be the same name"
    result = run_command(folder.load(), "check")
    assert result.exit_code == 1
    assert "[channels.E008]" in result.output
    assert told in result.output
    with pytest.raises(ComponentError, match=r"channels\.E008") as refused:
        application_of(folder.load())
    assert told in str(refused.value)


@pytest.mark.parametrize("count", [10_000_000, 2])
def test_more_sockets_than_a_process_may_have_files_are_warned_of(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda which: (1024, 1024))
    folder.write(
        {
            "shop/settings.py": f"""
                from fastforge.channels import Channels

                INSTALLED_APPS = ["shop.talk"]
                CHANNELS = Channels(max_connections={count})
            """,
            "shop/talk/channels.py": TWO.split("class Two")[0],
        }
    )
    result = run_command(folder.load(), "check", "--deploy")
    assert ("[channels.W001]" in result.output) is (count > 1024)


@pytest.mark.parametrize(
    ("more", "command", "told"),
    [
        ("", "uvicorn shop.asgi:app", ""),
        ("", "uvicorn shop.asgi:app --workers 4", "uvicorn starts several processes, and each"),
        ("", "gunicorn -k asgi -w2 shop.asgi:app", "gunicorn starts several processes, and each"),
        ("SERVER = Server(workers=2)", "", "2 processes serve, and each has channels of its own"),
        ("CHANNELS = {'backend': 'rediss'}", "", "no installed app declares the channel backend"),
    ],
)
def test_messages_that_reach_some_alone_are_told_of_before_a_deployment(
    folder: ProjectFolder, more: str, command: str, told: str
) -> None:
    (folder.path / "Procfile").write_text(f"web: {command}\n")
    settings = "from fastforge.core.settings import Server\nSERVER = Server(workers=1)\n"
    settings += f'INSTALLED_APPS = ["shop.talk"]\n{more}\n'
    channel = """
        from fastforge.channels import Channel

        class News(Channel, pattern="news", public=True):
            pass
    """
    folder.write({"shop/settings.py": settings, "shop/talk/channels.py": channel})
    messages = run_checks(folder.load(), deploy=True).messages
    found = [each.text for each in messages if each.id in ("channels.E009", "channels.E018")]
    assert bool(found) is bool(told)
    assert all(told in each for each in found)
