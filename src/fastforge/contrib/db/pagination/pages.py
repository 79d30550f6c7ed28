"""Pages: what a list answers with; `Page[OrderOut]` is `PageOfOrderOut` in the OpenAPI document."""

from __future__ import annotations

import re
from typing import Any, Final, Generic, TypeVar, get_args

from pydantic import BaseModel

__all__ = ["CursorPage", "Page"]

T = TypeVar("T")

_WORD: Final = re.compile(r"[^\W_]+")


class _Named(BaseModel):
    """Gives a parametrised model a name that can be read and that generators make classes of."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return `PageOfOrderOut` for `Page[OrderOut]`."""
        return f"{cls.__name__}Of{''.join(map(_name, params))}"


def _name(parameter: Any) -> str:
    """Return a type as one word: `OrderOut`, `ListOfInt`, `OrderOutNone`."""
    if not get_args(parameter):
        words = _WORD.findall(getattr(parameter, "__name__", str(parameter).rpartition(".")[2]))
        return "".join(word[0].upper() + word[1:] for word in words)
    inner = "".join(map(_name, get_args(parameter)))
    outer = getattr(parameter, "__name__", "")
    return f"{outer[0].upper()}{outer[1:]}Of{inner}" if isinstance(parameter, _ALIAS) else inner


_ALIAS: Final = type(list[int])


class Page(_Named, Generic[T]):
    """A page by its distance from the beginning.

    Attributes:
        items: What is on it.
        limit: How many items it could have.
        offset: How many items come before it.
        has_next: Whether there are more behind it.
        total: How many there are in all, where the list counts them.
    """

    items: list[T]
    limit: int
    offset: int
    has_next: bool
    total: int | None = None


class CursorPage(_Named, Generic[T]):
    """A page by the item that it follows.

    Attributes:
        items: What is on it.
        limit: How many items it could have.
        next: Gives the page behind it, as `after`; null on the last one.
        previous: Gives the page before it, as `before`; null on the first one.
        total: How many there are in all, where the list counts them.
    """

    items: list[T]
    limit: int
    next: str | None = None
    previous: str | None = None
    total: int | None = None
