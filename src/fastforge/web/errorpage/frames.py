"""Frames: how the code came to where it failed."""

from __future__ import annotations

import linecache
import os
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Final

from ..._utils import is_written_by_the_user
from ...exceptions import Location
from ...redaction import redacted_text
from .source import Line, lines_around
from .values import Values

__all__ = ["Frame", "Run", "runs_of"]

MOST_FRAMES: Final = 60
"""Of a longer way, as an endless recursion has it, the two ends are shown."""
MOST_OPEN: Final = 12
MOST_ALIKE: Final = 2
MOST_VARIABLES: Final = 30
_USERS: Final = "the user"
_PACKAGES: Final = f"-packages{os.sep}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A call on the way.

    Args:
        file: The whole path of its file.
        line: The line that runs.
        function: The function's name.
        place: The path as it is read best.
        source: The lines around.
        columns: The part of the line that was being evaluated; None where that is not known.
        variables: Names and what may be shown of their values.
    """

    file: str
    line: int
    function: str
    place: str
    source: tuple[Line, ...] = ()
    columns: tuple[int, int] | None = None
    variables: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Calls in a row that are all the user's, or all of libraries; or some that are left out.

    Args:
        is_users: Whose they are.
        frames: The innermost first.
        libraries: Whose code they are, if not the user's.
        missing: How many are left out; such a run has no calls of its own.
    """

    is_users: bool
    frames: tuple[Frame, ...]
    libraries: tuple[str, ...] = ()
    missing: int = 0


_Step = tuple[types.FrameType, int, int]


def runs_of(error: BaseException, values: Values) -> tuple[Run, ...]:
    """Return the way to where an exception was raised, from there outwards."""
    steps = [*_steps(error.__traceback__)][::-1]
    found: list[Run] = []
    opened = 0
    for owner, group in groupby(_shortened(steps), _owner):
        frames: list[Frame] = []
        missing = 0
        for step in group:
            if isinstance(step, int):
                missing += step
            elif owner == _USERS and opened < MOST_OPEN:
                opened += 1
                frames.append(_open(step, values))
            else:
                frames.append(_brief(step))
        libraries = () if owner == _USERS else _libraries(frames)
        run = Run(
            is_users=owner == _USERS, frames=tuple(frames), libraries=libraries, missing=missing
        )
        found.append(run)
    return tuple(found)


def _shortened(steps: Sequence[_Step]) -> list[_Step | int]:
    """Leave out what an endless recursion repeats; a number says how many calls that were."""
    found: list[_Step | int] = []
    for _, group in groupby(steps, lambda step: (step[0].f_code, step[1])):
        same = [*group]
        found += same[:MOST_ALIKE]
        if len(same) > MOST_ALIKE:
            found.append(len(same) - MOST_ALIKE)
    if len(found) <= MOST_FRAMES:
        return found
    half = MOST_FRAMES // 2
    middle = found[half:-half]
    missing = sum(step if isinstance(step, int) else 1 for step in middle)
    return [*found[:half], missing, *found[-half:]]


def _owner(step: _Step | int) -> str:
    if isinstance(step, int):
        return "nobody"
    return _USERS if is_written_by_the_user(step[0].f_code.co_filename) else "libraries"


def _steps(traceback: types.TracebackType | None) -> Iterator[_Step]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno, traceback.tb_lasti
        traceback = traceback.tb_next


def _brief(step: _Step) -> Frame:
    frame, line, _ = step
    file = frame.f_code.co_filename
    text = redacted_text(linecache.getline(file, line).strip())
    source = (Line(number=line, text=text),) if text else ()
    return Frame(
        file=file, line=line, function=_function(frame), place=_place(file, line), source=source
    )


def _open(step: _Step, values: Values) -> Frame:
    frame, line, instruction = step
    file = frame.f_code.co_filename
    return Frame(
        file=file,
        line=line,
        function=_function(frame),
        place=_place(file, line),
        source=lines_around(file, line),
        columns=_columns(frame.f_code, instruction, file, line),
        variables=tuple(_variables(frame.f_locals, values)),
    )


def _function(frame: types.FrameType) -> str:
    return frame.f_code.co_qualname.replace(".<locals>.", ".")


def _place(file: str, line: int) -> str:
    _, separator, inside = file.rpartition(_PACKAGES)
    return str(Location(inside if separator else file, line))


def _columns(
    code: types.CodeType, instruction: int, file: str, line: int
) -> tuple[int, int] | None:
    """Return the columns of what was evaluated, if that is less than the whole line."""
    position = next(islice(code.co_positions(), instruction // 2, None), None)
    if position is None:
        return None
    first, last, start, end = position
    if first != line or last != line or start is None or end is None:
        return None
    text = linecache.getline(file, line).rstrip()
    whole = text.encode()
    columns = len(whole[:start].decode(errors="replace")), len(whole[:end].decode(errors="replace"))
    return None if text[slice(*columns)] == text.strip() else columns


def _variables(found: Mapping[str, Any], values: Values) -> Iterator[tuple[str, str]]:
    shown = (
        (name, value)
        for name, value in found.items()
        if not name.startswith("__") and not isinstance(value, types.ModuleType)
    )
    for name, value in islice(shown, MOST_VARIABLES):
        yield name, values.named(name, value)


def _libraries(frames: Sequence[Frame]) -> tuple[str, ...]:
    """Return whose code frames are: the first folder of what is installed, or Python."""
    names: dict[str, None] = {}
    for frame in frames:
        _, separator, inside = frame.file.rpartition(_PACKAGES)
        if separator:
            names[inside.partition(os.sep)[0].removesuffix(".py")] = None
        elif frame.file.startswith(str(Path(__file__).parents[2])):
            names["fastforge"] = None
        else:
            names["Python"] = None
    return tuple(names)
