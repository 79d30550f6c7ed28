"""Pages: what a list answers with; `Page[OrderOut]` is `PageOfOrderOut` in the OpenAPI document."""

from __future__ import annotations

import re
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, create_model

from ...._utils import first_line

__all__ = ["CursorPage", "Page"]

T = TypeVar("T")

_WORD: Final = re.compile(r"[^\W_]+")
_NAMED: Final = "__fastforge_named__"


class _Named(BaseModel):
    """Gives a parametrised model a name that can be read and that generators make classes of."""

    @classmethod
    def __class_getitem__(cls, parameters: Any) -> Any:
        """Return `Page[OrderOut]` as the class `PageOfOrderOut`.

        Pydantic names the schema of a generic model after its parts, whatever the class is called.
        So this is a class of its own below pydantic's, kept with that one.
        """
        generic: Any = super().__class_getitem__(parameters)
        metadata = generic.__pydantic_generic_metadata__
        if metadata["parameters"] or not metadata["args"]:  # a type variable is still open
            return generic
        if _NAMED not in vars(generic):
            setattr(
                generic,
                _NAMED,
                create_model(
                    f"{cls.__name__}Of{''.join(map(_name, metadata['args']))}",
                    __base__=generic,
                    __module__=getattr(metadata["args"][0], "__module__", cls.__module__),
                    __doc__=first_line(str(cls.__doc__)),
                ),
            )
        return getattr(generic, _NAMED)


def _name(parameter: Any) -> str:
    """Return a type as one word: `OrderOut`, `ListOfInt`, `OrderOutNone`."""
    if parameter is NoneType:
        return "None"
    origin, parts = get_origin(parameter), get_args(parameter)
    if origin is Annotated:
        return _name(parts[0])
    name = getattr(parameter, "__name__", "") or str(parameter).rpartition(".")[2]
    outer = "".join(word[0].upper() + word[1:] for word in _WORD.findall(name))
    inner = "".join(map(_name, parts))
    return inner if origin in (Union, UnionType) else f"{outer}Of{inner}" if inner else outer


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
