"""Chain: the exception that reached the server, and those that led to it."""

from __future__ import annotations

import builtins
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fastapi.exceptions import ResponseValidationError, ValidationException

from ..._utils import did_you_mean, import_hint
from ...exceptions import ErrorGroup, ForgeError, Location
from ...redaction import redacted_text
from .frames import Run, runs_of
from .source import Line, lines_around
from .values import Values

__all__ = ["Link", "Quote", "Wrong", "chain_of"]

MOST_LINKS: Final = 6
MOST_WRONG: Final = 20
LONGEST_MESSAGE: Final = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What is wrong with one part of an answer: where it is, what it should be, what it is."""

    location: str
    message: str
    got: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The lines around a place that an error names, and the calls do not lead through."""

    title: str
    file: str
    line: int
    place: str
    source: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One exception.

    Args:
        relation: How it led to the one before it; empty for the first.
        type: The name of its class, with the module of one that is not built in.
        message: What it says.
        code: The stable code of a ForgeError.
        is_ours: Whether our documentation explains it.
        hint: What to do about it.
        quote: The place that it names.
        wrong: What is wrong with the parts of an answer.
        runs: The way to where it was raised.
    """

    relation: str
    type: str
    message: str
    code: str = ""
    is_ours: bool = False
    hint: str = ""
    quote: Quote | None = None
    wrong: tuple[Wrong, ...] = ()
    runs: tuple[Run, ...] = ()


def chain_of(error: BaseException, values: Values) -> tuple[Link, ...]:
    """Return an exception and what led to it; the first is the one that reached the server."""
    found: list[Link] = []
    for relation, each in _walk(error, "", set()):
        if len(found) == MOST_LINKS:
            break
        found.append(_link(each, relation, values))
    return tuple(found)


def _walk(
    error: BaseException, relation: str, seen: set[int]
) -> Iterator[tuple[str, BaseException]]:
    if id(error) in seen:  # `raise error from error` makes a ring
        return
    seen.add(id(error))
    yield relation, error
    if isinstance(error, BaseExceptionGroup):
        for number, each in enumerate(error.exceptions, 1):
            yield from _walk(each, f"{number} of {len(error.exceptions)} in the group", seen)
    if error.__cause__ is not None:
        yield from _walk(error.__cause__, "raised from", seen)
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _walk(error.__context__, "while this was being handled", seen)


def _link(error: BaseException, relation: str, values: Values) -> Link:
    ours = error if isinstance(error, ForgeError) else None
    runs = runs_of(error, values)
    return Link(
        relation=relation,
        type=_name(type(error)),
        message=_message(error, values)[:LONGEST_MESSAGE],
        code=ours.code if ours else "",
        is_ours=bool(runs) and runs[0].libraries[:1] == ("fastforge",),
        hint=redacted_text(ours.hint) if ours else _hint(error),
        quote=_quote(error, runs),
        wrong=tuple(_wrong(error, values)),
        runs=runs,
    )


def _name(kind: type) -> str:
    is_known = kind.__module__ in ("builtins", "fastapi.exceptions") or issubclass(kind, ForgeError)
    return kind.__qualname__ if is_known else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException, values: Values) -> str:
    if isinstance(error, ErrorGroup):
        return redacted_text(str(error))
    if isinstance(error, ForgeError):
        return redacted_text(error.message)
    if isinstance(error, ResponseValidationError):  # its text has all that was returned in it
        return "what the handler returned does not fit what the route declares"
    if isinstance(error, KeyError) and len(error.args) == 1:
        return values.shown(error.args[0])
    return values.text(error)


def _hint(error: BaseException) -> str:
    try:
        if isinstance(error, NameError) and error.name:
            return did_you_mean(error.name, _names_around(error))
        if isinstance(error, AttributeError) and error.name and error.obj is not None:
            return did_you_mean(error.name, {*dir(type(error.obj)), *vars(error.obj)})
        return import_hint(error)
    except Exception:  # what an object says of itself is anybody's code
        return ""


def _names_around(error: BaseException) -> set[str]:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame: types.FrameType | None = traceback.tb_frame if traceback else None
    names = set(vars(builtins))
    return names if frame is None else {*frame.f_locals, *frame.f_globals, *names}


def _place(error: BaseException) -> Location | None:
    if isinstance(error, ForgeError) and isinstance(error.where, Location):
        return error.where
    if isinstance(error, SyntaxError) and error.filename:
        return Location(error.filename, error.lineno or 1)
    if isinstance(error, ValidationException):
        file, line = error.endpoint_file, error.endpoint_line
        return Location(file, line) if file and line else None
    return None


def _quote(error: BaseException, runs: tuple[Run, ...]) -> Quote | None:
    place = _place(error)
    if place is None:
        return None
    if any(
        (each.file, each.line) == (place.file, place.line) for run in runs for each in run.frames
    ):
        return None
    source = lines_around(place.file, place.line)
    title = "the handler" if isinstance(error, ValidationException) else "the place that it names"
    return Quote(title=title, file=place.file, line=place.line, place=str(place), source=source)


def _wrong(error: BaseException, values: Values) -> Iterator[Wrong]:
    if not isinstance(error, ResponseValidationError):
        return
    for each in [*error.errors()][:MOST_WRONG]:
        location = tuple(each.get("loc", ()))
        name = str(location[-1]) if location else ""
        yield Wrong(
            location=".".join(map(str, location)),
            message=redacted_text(str(each.get("msg", ""))),
            got=values.named(name, each.get("input")),
        )
