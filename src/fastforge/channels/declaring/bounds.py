"""Bounds: how much of a channel is kept, for one client and for those who come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, get_args

from ..._utils import did_you_mean
from ...exceptions import ComponentError
from .messages import Messages

__all__ = ["OPTIONS", "Bounds", "Overflow", "bounds_of", "conflated_by"]

Overflow: TypeAlias = Literal["drop_oldest", "drop_newest", "disconnect", "conflate"]
"""What becomes of a message for a client that is behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of a channel is kept.

    Args:
        overflow: What becomes of a message for a client that is behind.
        conflate_by: The field of a message whose latest value alone counts.
        queue_size: How many messages wait for one client; None: CHANNELS.queue_size.
        queue_bytes: What they take together; None: CHANNELS.queue_bytes.
        history: How many messages are kept for those who come back.
        history_ttl_s: How long they are kept, in seconds.
        presence: Whether everybody sees who else is there.
        public: Whether anybody may join.
    """

    overflow: Overflow = "drop_oldest"
    conflate_by: str = ""
    queue_size: int | None = None
    queue_bytes: int | None = None
    history: int = 0
    history_ttl_s: float = 300
    presence: bool = False
    public: bool = False


OPTIONS: Final = tuple(field.name for field in fields(Bounds))


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_bound(value: object) -> bool:
    return value is None or _is_count(value, 1)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


_VALUES: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = MappingProxyType(
    {
        "overflow": (
            lambda value: value in get_args(Overflow),
            "one of " + ", ".join(get_args(Overflow)),
        ),
        "conflate_by": (lambda value: isinstance(value, str), "the name of a field"),
        "queue_size": (_is_bound, "a number from 1 on, or None"),
        "queue_bytes": (_is_bound, "a number from 1 on, or None"),
        "history": (lambda value: _is_count(value, 0), "a number from 0 on"),
        "history_ttl_s": (_is_time, "a number of seconds, more than 0"),
        "presence": (lambda value: isinstance(value, bool), "True or False"),
        "public": (lambda value: isinstance(value, bool), "True or False"),
    }
)


def bounds_of(inherited: Bounds, options: Mapping[str, Any], *, whose: str) -> Bounds:
    """Read what stands beside the pattern of a channel.

    Args:
        inherited: Those of the class that it derives from.
        options: What is written.
        whose: The class, for errors.

    Raises:
        ComponentError: There is no such option, or it has no such value.
    """
    for name, value in options.items():
        if name not in _VALUES:
            raise _wrong(
                f"{whose} got {name}=, which no channel takes",
                did_you_mean(name, OPTIONS) or f"it takes pattern, {', '.join(OPTIONS)}",
            )
        is_one, told = _VALUES[name]
        if not is_one(value):
            near = did_you_mean(value, get_args(Overflow)) if isinstance(value, str) else ""
            raise _wrong(f"{whose} has {name}={value!r}", near or f"it is {told}")
    return Bounds(**({name: getattr(inherited, name) for name in OPTIONS} | dict(options)))


def conflated_by(bounds: Bounds, outgoing: Messages, *, whose: str) -> str:
    """Return what the field is called in JSON by which messages are conflated; empty: by none.

    Args:
        bounds: Of the channel.
        outgoing: What is published in it.
        whose: The class, for errors.

    Raises:
        ComponentError: Messages are conflated without a field, or lack it.
    """
    by = bounds.conflate_by
    if (bounds.overflow == "conflate") != bool(by):
        raise _wrong(
            f"{whose} has overflow={bounds.overflow!r} and conflate_by={by!r}",
            'the two belong together: overflow="conflate", conflate_by="symbol"',
        )
    written: set[str] = set()
    for model in outgoing.by_type.values() if by else ():
        found = model.model_fields.get(by)
        if found is None:
            raise _wrong(
                f"{whose} keeps the latest by {by!r}, which {model.__name__} lacks",
                did_you_mean(by, model.model_fields) or "give every message of Outgoing that field",
            )
        written.add(found.serialization_alias or by)
    if len(written) > 1:
        raise _wrong(
            f"{whose} keeps the latest by {by!r}, which is {' and '.join(sorted(written))} in JSON",
            "let every message of Outgoing write it in the same way",
        )
    return written.pop() if written else by


def _wrong(message: str, hint: str) -> ComponentError:
    return ComponentError(message, code="channels.E004", hint=hint)
