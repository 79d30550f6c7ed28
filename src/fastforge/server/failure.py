"""Failure: why an application does not run, as a value that goes through a pipe.

It holds no secret on purpose: passwords are masked in every line of it, also in source lines, and
of a file that is no Python (a `.env`) nothing is quoted.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Final

from .._utils import failing_line, is_written_by_the_user, redact, told
from ..exceptions import ErrorGroup, ForgeError, Location, ResourceUnavailable, StartError
from ..web.errorpage.source import lines_around

__all__ = ["Failure", "Mistake"]

LINES_AROUND: Final = 3
MISTAKES_WITH_SOURCE: Final = 5
LONGEST_LINE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One line that says what is wrong, and the source around its place.

    Args:
        line: What is wrong, whole.
        file: Where, as far as it is known.
        number: The line in that file.
        source: Numbered lines around it.
        message: What is wrong without the parts that follow, for an error of ours.
        code: Its code.
        hint: Its cure.
    """

    line: str
    file: str = ""
    number: int = 0
    source: tuple[tuple[int, str], ...] = ()
    message: str = ""
    code: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an application does not run.

    Args:
        mistakes: What is wrong, one by one.
        traceback: How it came to that, with the frames of libraries folded; may be empty.
        may_pass: Whether it may be gone without an edit: a resource that could not be opened.
    """

    mistakes: tuple[Mistake, ...]
    traceback: str = ""
    may_pass: bool = False

    @classmethod
    def of(cls, error: BaseException, message: str = "") -> Failure:
        """Describe what was raised while an application was loaded or started.

        Args:
            error: What was raised.
            message: What the application said of it, for an error that is not ours.
        """
        errors = error.errors if isinstance(error, ErrorGroup) else (error,)
        return cls(
            mistakes=tuple(
                _mistake(each, message, with_source=number < MISTAKES_WITH_SOURCE)
                for number, each in enumerate(errors)
            ),
            traceback="\n".join(_folded(error)),
            may_pass=_may_pass(error),
        )

    @classmethod
    def saying(cls, line: str) -> Failure:
        """Describe an end that left nothing but its code or its signal."""
        return cls(mistakes=(Mistake(line=line),))

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Failure:
        """Return what `to_json` has written."""
        members = json.loads(text)
        mistakes = (
            Mistake(**{**each, "source": tuple((number, line) for number, line in each["source"])})
            for each in members["mistakes"]
        )
        return cls(**{**members, "mistakes": tuple(mistakes)})


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, ResourceUnavailable):  # as a database says it that is not up yet
        return True
    return isinstance(error, StartError) and error.code.startswith("lifecycle.")


def _mistake(error: BaseException, message: str, *, with_source: bool) -> Mistake:
    if isinstance(error, ForgeError):
        line, place = str(error), error.where
    else:
        # Of some lifespans the message is the whole traceback.
        line = redact(message) if message and "\n" not in message else told(error)
        place = failing_line(error)
    mistake = Mistake(line=line)
    if isinstance(error, ForgeError):
        mistake = replace(mistake, message=error.message, code=error.code, hint=error.hint)
    if not isinstance(place, Location):
        return mistake
    source = tuple(_source(place)) if with_source else ()
    return replace(mistake, file=place.file, number=place.line, source=source)


def _source(place: Location) -> Iterator[tuple[int, str]]:
    if place.file.endswith(".py"):
        for line in lines_around(place.file, place.line, around=LINES_AROUND):
            yield line.number, line.text


def _folded(error: BaseException, seen: frozenset[int] = frozenset()) -> Iterator[str]:
    """Yield the lines of a traceback that writes out the frames of the user's code alone."""
    seen |= {id(error)}  # `raise error from error` makes a ring
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and id(cause) not in seen:
        yield from _folded(cause, seen)
        yield "and then:"
    frames = traceback.extract_tb(error.__traceback__)
    for is_users, group in groupby(frames, lambda frame: is_written_by_the_user(frame.filename)):
        if is_users:
            yield from (_frame(each) for each in group)
        else:
            count = len(list(group))
            yield f"  ({count} frame{'s' if count > 1 else ''} of libraries)"
    yield from redact("".join(traceback.format_exception_only(error)).rstrip()).splitlines()


def _frame(frame: traceback.FrameSummary) -> str:
    line = redact(frame.line or "")[:LONGEST_LINE]
    return f"  {Location(frame.filename, frame.lineno or 1)}, in {frame.name}\n      {line}"
