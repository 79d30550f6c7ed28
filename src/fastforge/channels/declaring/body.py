"""Declaring: what the body of a channel may have, and where a mistake in it was made."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from ..._utils import calling_line
from ...exceptions import ComponentError, Location
from .bounds import OPTIONS

__all__ = ["located", "refuse_misplaced"]

_OVERRIDDEN: Final = frozenset({"Incoming", "Outgoing", "shown"})
_OF_AN_OBJECT: Final = frozenset({"connection", "name", "parameters"})


@contextmanager
def located(cls: type[Any]) -> Iterator[None]:
    """Say of an error where the class stands, unless it knows better."""
    try:
        yield
    except ComponentError as error:
        if error.where is None:
            error.where = _place(cls)
        raise


def refuse_misplaced(cls: type[Any], own: Iterable[str]) -> None:
    """Refuse what has no effect in the body of a channel, or hides what every channel has.

    Args:
        cls: The class.
        own: The names that every channel has.

    Raises:
        ComponentError: There is such a name.
    """
    whose, written = cls.__qualname__, vars(cls)
    taken = {name for name in own if not name.startswith("__")} - _OVERRIDDEN | _OF_AN_OBJECT
    for name in written:
        if name in OPTIONS or name == "pattern":
            raise _wrong(
                f"{whose} has {name} in its body, where it does nothing",
                f"write it beside the base: class {whose}(Channel, {name}=...)",
            )
        if name in taken:
            raise _wrong(f"{whose}.{name} hides what every channel has", "give it another name")
    for name in inspect.get_annotations(cls):
        if name in ("Incoming", "Outgoing") and name not in written:
            raise _wrong(f"{whose}.{name} has no value", f"write `{name} = ...`")


def _wrong(message: str, hint: str) -> ComponentError:
    return ComponentError(message, code="channels.E004", hint=hint)


def _place(cls: type[Any]) -> Location | None:
    functions = [each for each in vars(cls).values() if inspect.isfunction(each)]
    written = calling_line()
    return written or (Location.of(cast(Any, functions[0])) if functions else None)
