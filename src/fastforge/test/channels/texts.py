"""Texts: what came instead, as an assertion that fails shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
from pydantic import BaseModel

from ..._utils import redact
from ...channels.declaring.channel import Channel
from ...channels.rooms.publishing import Publication
from .matching import data_of, model_of
from .sockets import SocketClosed

__all__ = ["no_broadcast", "nothing_came", "unexpected_broadcasts", "unexpected_frames"]

SHOWN: Final = 20
VALUE_LIMIT: Final = 200

Expected = type[BaseModel] | BaseModel


# --- what a client was given ---------------------------------------------------------------------


def nothing_came(
    what: str,
    frames: Sequence[Mapping[str, Any]],
    *,
    refused: Sequence[Mapping[str, Any]] = (),
    closed: SocketClosed | None = None,
    has_joined: bool = True,
    nearest: str = "",
) -> str:
    """Return why an assertion fails that a client is told something.

    Args:
        what: What was expected.
        frames: What has come and nobody has asked for.
        refused: The answers to what the client asked for and was not given.
        closed: How the socket has ended, if it has.
        has_joined: Whether it is in any channel.
        nearest: In what that differs which is the most like it.
    """
    lines = [f"{what} has not come", *([nearest] if nearest else [])]
    if frames:
        lines.extend(_listed("what has come:", [frame_of(each) for each in frames]))
    else:
        lines.append("nothing else has come that was not asked for")
    lines.extend(_listed("what was refused before:", [frame_of(each) for each in refused]))
    if not has_joined:
        lines.append("the client has joined nothing")
    if closed is not None:
        lines.append(f"the socket is {closed}")
    return "\n".join(lines)


def unexpected_frames(frames: Sequence[Mapping[str, Any]]) -> str:
    """Return why an assertion fails that a client is told nothing."""
    return "\n".join(_listed("what has come and should not:", [frame_of(each) for each in frames]))


def message_text(expected: Expected, where: str | None) -> str:
    """Return a message that was expected, and where."""
    room = "" if where is None else f" in {where}"
    if isinstance(expected, type):
        return f"a message {expected.__name__}{room}"
    return f"the message {_shortened(repr(expected))}{room}"


def nearest_of(expected: Expected, where: str | None, frames: Sequence[Mapping[str, Any]]) -> str:
    """Return in what the message differs that is the most like what was expected."""
    if isinstance(expected, type):
        others = {each["channel"] for each in frames if each["type"] == "message"} - {where}
        return f"there are messages in {', '.join(sorted(others))}" if where and others else ""
    wanted = data_of(expected)
    same = [each for each in frames if each["type"] == "message" and _is_like(each["data"], wanted)]
    if not same:
        return ""
    nearest = max(same, key=lambda each: sum(each["data"].get(k) == v for k, v in wanted.items()))
    told = _differences(nearest["data"], wanted)
    if where not in (None, nearest["channel"]):
        told = [f"is in {nearest['channel']}", *told]
    return f"the nearest {'; '.join(told)}"


def frame_of(frame: Mapping[str, Any]) -> str:
    """Return a frame in one line."""
    if frame["type"] == "message":
        number = f", id {frame['id']}" if "id" in frame else ""
        return f"message in {frame['channel']}{number}: {_json(frame['data'])}"
    rest = {name: value for name, value in frame.items() if name != "type"}
    return f"{frame['type']}: {_json(rest)}" if rest else str(frame["type"])


# --- what was published --------------------------------------------------------------------------


def no_broadcast(
    channel: type[Channel],
    message: Expected,
    parameters: Mapping[str, Any],
    sent: Sequence[Publication],
    *,
    waiting: Sequence[Publication],
    failed: Sequence[Publication],
) -> str:
    """Return why an assertion fails that something was published.

    Args:
        channel: The channel.
        message: What was expected.
        parameters: Those of its room that were asked for.
        sent: What was published.
        waiting: What waits for a commit, or was forgotten when that did not come.
        failed: What could not be sent.
    """
    told = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
    where = f"{channel.__qualname__}({told})" if told else channel.__qualname__
    lines = [f"{message_text(message, where)} was not published"]
    like = [each for each in sent if type(each.message) is model_of(message)]
    if like and not isinstance(message, type):
        wanted = data_of(message)
        by_likeness = {_likeness(each, wanted): each for each in reversed(like)}
        nearest = by_likeness[max(by_likeness)]
        told = "; ".join(_differences(data_of(nearest.message), wanted)) or "says the same"
        lines.append(f"the nearest, in {nearest.name}, {told}")
    if not sent:
        lines.append("nothing was published")
    groups = {
        "what was published:": sent,
        "what no commit has let go, or was rolled back:": waiting,
        "what could not be sent:": failed,
    }
    for title, publications in groups.items():
        lines.extend(_listed(title, map(_published, publications)))
    return "\n".join(lines)


def unexpected_broadcasts(found: Sequence[Publication]) -> str:
    """Return why an assertion fails that nothing was published."""
    return "\n".join(_listed("what was published and should not:", map(_published, found)))


def _published(publication: Publication) -> str:
    to_others = f", not to {publication.exclude}" if publication.exclude else ""
    return f"{publication.name}: {_shortened(repr(publication.message))}{to_others}"


def _likeness(publication: Publication, wanted: Mapping[str, Any]) -> int:
    data = data_of(publication.message)
    return sum(data.get(name) == value for name, value in wanted.items())


# --- both ----------------------------------------------------------------------------------------


def _is_like(data: Any, wanted: Mapping[str, Any]) -> bool:
    return isinstance(data, dict) and data.get("type") == wanted.get("type")


def _differences(data: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    names = [*wanted, *(name for name in data if name not in wanted)]
    differing = [name for name in names if data.get(name) != wanted.get(name)]
    return [
        redact(f"has {name}={data.get(name)!r} and not {wanted.get(name)!r}") for name in differing
    ]


def _listed(title: str, entries: Any) -> Iterator[str]:
    lines = [*entries]
    if lines:
        yield title
        yield from (f"  {line}" for line in lines[:SHOWN])
        if len(lines) > SHOWN:
            yield f"  and {len(lines) - SHOWN} more"


def _json(value: Any) -> str:
    return _shortened(orjson.dumps(value).decode())


def _shortened(text: str) -> str:
    told = redact(text)
    return told if len(told) <= VALUE_LIMIT else f"{told[:VALUE_LIMIT]}..."
