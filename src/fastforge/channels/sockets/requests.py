"""Requests: what a client asks for, one frame each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ..._utils import did_you_mean

__all__ = ["Authenticate", "BadFrame", "Join", "Leave", "Ping", "Push", "Ref", "Request", "read"]

Ref: TypeAlias = "int | str | None"
LARGEST_ID: Final = 2**63 - 1
LONGEST_NAME: Final = 200
LONGEST_REF: Final = 64
LONGEST_TOKEN: Final = 8192
MOST_BEFORE: Final = 16
"""How many earlier connections of its own a client may name."""


class BadFrame(ValueError):
    """A frame is no request.

    Attributes:
        ref: What the client calls it, where that could be read.
    """

    def __init__(self, message: str, ref: Ref = None) -> None:
        super().__init__(message)
        self.ref = ref


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Here is who I am."""

    ref: Ref
    token: str


@dataclass(frozen=True, slots=True)
class Join:
    """Let me in; I have got everything up to `last_id`, on the sockets that I `was`."""

    ref: Ref
    channel: str
    last_id: int | None = None
    epoch: str = ""
    was: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leave:
    """Let me out."""

    ref: Ref
    channel: str


@dataclass(frozen=True, slots=True)
class Push:
    """Take this message: `data` of the frame, whose text numbers are read from as written."""

    ref: Ref
    channel: str
    data: object
    text: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there?"""

    ref: Ref


Request: TypeAlias = Authenticate | Join | Leave | Push | Ping


def read(frame: object, text: str) -> Request:
    """Return what a frame asks for.

    Args:
        frame: What it says.
        text: As it came.

    Raises:
        BadFrame: It is no request.
    """
    if not isinstance(frame, dict):
        raise BadFrame("a frame is a JSON object")
    ref = _ref(frame)
    kind = frame.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        near = did_you_mean(kind, _READERS) if isinstance(kind, str) else ""
        raise BadFrame(near or f"the type of a frame is one of {', '.join(_READERS)}", ref)
    return reader(frame, ref, text)


def _ref(frame: Mapping[str, Any]) -> Ref:
    ref: Ref = frame.get("ref")
    is_text = isinstance(ref, str) and len(ref) <= LONGEST_REF
    if ref is None or is_text or (isinstance(ref, int) and not isinstance(ref, bool)):
        return ref
    raise BadFrame(f"a ref is a number, or a text of at most {LONGEST_REF} characters")


def _text(frame: Mapping[str, Any], field: str, ref: Ref, longest: int) -> str:
    value = frame.get(field)
    if isinstance(value, str) and 0 < len(value) <= longest:
        return value
    raise BadFrame(f"{field} is a text of 1 to {longest} characters", ref)


def _authenticate(frame: Mapping[str, Any], ref: Ref, _written: str) -> Authenticate:
    return Authenticate(ref, _text(frame, "token", ref, LONGEST_TOKEN))


def _join(frame: Mapping[str, Any], ref: Ref, _written: str) -> Join:
    last_id, epoch = frame.get("last_id"), frame.get("epoch", "")
    is_id = type(last_id) is int and 0 <= last_id <= LARGEST_ID
    is_epoch = isinstance(epoch, str) and len(epoch) <= LONGEST_REF
    if not (last_id is None or is_id) or not is_epoch:
        raise BadFrame("last_id is a number and epoch a text, as an answer had them", ref)
    channel = _text(frame, "channel", ref, LONGEST_NAME)
    return Join(ref, channel, last_id, epoch, _was(frame, ref))


def _was(frame: Mapping[str, Any], ref: Ref) -> tuple[str, ...]:
    was = frame.get("was", [])
    if not isinstance(was, list) or len(was) > MOST_BEFORE:
        raise BadFrame(f"was is a list of at most {MOST_BEFORE} connections", ref)
    if not all(isinstance(each, str) and len(each) <= LONGEST_REF for each in was):
        raise BadFrame("was has what each welcome called the connection", ref)
    return tuple(was)


def _leave(frame: Mapping[str, Any], ref: Ref, _written: str) -> Leave:
    return Leave(ref, _text(frame, "channel", ref, LONGEST_NAME))


def _push(frame: Mapping[str, Any], ref: Ref, written: str) -> Push:
    return Push(ref, _text(frame, "channel", ref, LONGEST_NAME), frame.get("data"), written)


def _ping(_frame: Mapping[str, Any], ref: Ref, _written: str) -> Ping:
    return Ping(ref)


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], Ref, str], Request]]] = {
    "authenticate": _authenticate,
    "join": _join,
    "leave": _leave,
    "push": _push,
    "ping": _ping,
}
