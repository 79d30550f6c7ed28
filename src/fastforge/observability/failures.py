"""Failures: an exception as JSON or as text, without local variables and without secrets.

The frames of the user's own code are written out, with their source; those of libraries, and
fastforge's own, become a number between them. The frame that raised is always there.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from types import CodeType
from typing import Any, Final

from .._utils import is_written_by_the_user, printable, text_of
from ..redaction import redacted_text

__all__ = ["failure_fields", "failure_text"]

MOST_FRAMES: Final = 30
"""Of the user's own; a recursion has its last and its first ones."""
MOST_WALKED: Final = 2_000
DEEPEST: Final = 8
"""Causes of causes, and groups in groups."""
MOST_IN_GROUP: Final = 8
LONGEST_MESSAGE: Final = 2_000
LONGEST_LINE: Final = 200
MOST_NOTES: Final = 8
CUT: Final = "..."


def failure_fields(error: BaseException) -> dict[str, Any]:
    """Return what a log line says of an exception, as JSON.

    ```python
    try:
        raise ValueError("no such user: password=hunter2")
    except ValueError as error:
        fields = failure_fields(error)
    assert fields["type"] == "ValueError"
    assert fields["message"] == "no such user: password=***"
    ```

    Args:
        error: What was raised.

    Returns:
        `type`, `message`, `frames` (each with `file`, `line`, `function` and the `source`, or with
        the number that is `folded`), and where they exist `notes`, `cause` or `context`, and the
        `errors` of a group with `more` beyond the first eight.
    """
    return _Describing().fields(error, 0)


def failure_text(error: BaseException) -> str:
    """Return the same for people, in the order of a traceback: what was raised comes last.

    Nothing in it steers a terminal, and lines of a message are set in, so that none passes for
    another line of the log.

    Args:
        error: What was raised.
    """
    return "\n".join(map(printable, _lines(failure_fields(error), "")))


class _Describing:
    """One call: the exceptions that have been met, since causes may form a ring."""

    def __init__(self) -> None:
        self.met: set[int] = set()

    def fields(self, error: BaseException, depth: int) -> dict[str, Any]:
        self.met.add(id(error))
        fields: dict[str, Any] = {
            "type": _type_of(error),
            "message": _message(error),
            "frames": _frames(error),
        }
        notes = _notes(error)
        if notes:
            fields["notes"] = notes
        if depth < DEEPEST:
            self._add_others(fields, error, depth)
        return fields

    def _add_others(self, fields: dict[str, Any], error: BaseException, depth: int) -> None:
        cause = error.__cause__
        other = cause or (None if error.__suppress_context__ else error.__context__)
        if other is not None and id(other) not in self.met:
            fields["cause" if cause else "context"] = self.fields(other, depth + 1)
        if isinstance(error, BaseExceptionGroup):
            inner = [each for each in error.exceptions if id(each) not in self.met]
            fields["errors"] = [self.fields(each, depth + 1) for each in inner[:MOST_IN_GROUP]]
            if len(inner) > MOST_IN_GROUP:
                fields["more"] = len(inner) - MOST_IN_GROUP


def _type_of(error: BaseException) -> str:
    kind = type(error)
    is_plain = kind.__module__ in ("builtins", "__main__")
    return kind.__qualname__ if is_plain else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    return _limited(redacted_text(text_of(error)), LONGEST_MESSAGE)


def _notes(error: BaseException) -> list[str]:
    notes = getattr(error, "__notes__", None)
    if not isinstance(notes, list | tuple):
        return []
    texts = (each if isinstance(each, str) else type(each).__name__ for each in notes[:MOST_NOTES])
    return [_limited(redacted_text(each), LONGEST_MESSAGE) for each in texts]


def _limited(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}{CUT}"


def _frames(error: BaseException) -> list[dict[str, Any]]:
    """Return the frames from the outermost on, those of libraries folded."""
    passed = list(_passed(error))
    frames: list[dict[str, Any]] = []
    for is_users, group in groupby(passed[:-1], lambda each: _is_users(each[0].co_filename)):
        found = list(group)
        frames += map(_frame, found) if is_users else [{"folded": len(found)}]
    frames += map(_frame, passed[-1:])
    return _without_the_middle(frames)


def _without_the_middle(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(frames) <= MOST_FRAMES:
        return frames
    half = MOST_FRAMES // 2
    return [*frames[:half], {"folded": len(frames) - 2 * half}, *frames[-half:]]


def _passed(error: BaseException) -> Iterator[tuple[CodeType, int]]:
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame.f_code, traceback.tb_lineno
        traceback = traceback.tb_next


def _frame(passed: tuple[CodeType, int]) -> dict[str, Any]:
    code, line = passed
    file = code.co_filename
    frame = {"file": file, "line": line, "function": code.co_name}
    # Of Python alone: what else has lines may have secrets in them, a `.env` for one.
    if file.endswith(".py") and _is_users(file):
        source = redacted_text(linecache.getline(file, line).strip())
        frame["source"] = _limited(source, LONGEST_LINE)
    return frame


@lru_cache(maxsize=1024)
def _is_users(file: str) -> bool:
    """Return whether a file is written by the user; to ask the disk takes most of all the time."""
    return is_written_by_the_user(file)


def _lines(fields: dict[str, Any], indent: str) -> Iterator[str]:
    before = fields.get("cause") or fields.get("context")
    if before:
        yield from _lines(before, indent)
        yield f"{indent}{'which caused' if 'cause' in fields else 'and then'}:"
    for frame in fields["frames"]:
        yield from (f"{indent}{line}" for line in _frame_lines(frame))
    head = f"{fields['type']}: {fields['message']}" if fields["message"] else fields["type"]
    first, *others = head.split("\n")
    notes = (line for note in fields.get("notes", ()) for line in note.split("\n"))
    yield indent + first.rstrip()
    yield from (f"{indent}    {line.rstrip()}" for line in (*others, *notes))
    for each in fields.get("errors", ()):
        yield f"{indent}  with:"
        yield from _lines(each, indent + "    ")
    if fields.get("more"):
        yield f"{indent}  and {fields['more']} more"


def _frame_lines(frame: dict[str, Any]) -> Iterator[str]:
    if "folded" in frame:
        yield f"  ({frame['folded']} frame{'s' if frame['folded'] > 1 else ''} of libraries)"
        return
    yield f"  {frame['file']}:{frame['line']}, in {frame['function']}"
    if frame.get("source"):
        yield f"      {frame['source']}"
