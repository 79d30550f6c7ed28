"""An exception is told without local variables and without secrets, and whatever it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from fastforge.observability.failures import (
    MOST_FRAMES,
    MOST_IN_GROUP,
    failure_fields,
    failure_text,
)

HERE = __file__


def raised(function: Callable[[], object]) -> BaseException:
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def _fails() -> None:
    secret = "canary-in-a-local"
    raise ValueError(f"no user with password={secret!r}")


def test_what_failed_and_where_is_told_without_local_variables() -> None:
    error = raised(_fails)
    fields = failure_fields(error)
    assert fields["type"] == "ValueError"
    assert fields["message"] == "no user with password='***'"
    assert [each["function"] for each in fields["frames"]] == ["raised", "_fails"]
    assert fields["frames"][-1]["file"] == HERE
    assert fields["frames"][-1]["source"].startswith("raise ValueError(")
    assert set(fields) == {"type", "message", "frames"}
    assert "canary" not in json.dumps(fields) + failure_text(error)


def test_frames_of_libraries_are_a_number_between_those_of_the_user() -> None:
    def inside(value: object) -> None:
        raise LookupError("inside")

    def outside() -> None:
        json.dumps(object(), default=inside)

    frames = failure_fields(raised(outside))["frames"]
    functions = [each.get("function") or each["folded"] for each in frames]
    assert functions[:2] == ["raised", "outside"] and functions[-1] == "inside"
    assert [each for each in functions[2:-1] if not isinstance(each, int)] == []
    assert "frames of libraries)" in failure_text(raised(outside))


def test_the_frame_that_raised_is_shown_in_a_library_as_well() -> None:
    frames = failure_fields(raised(lambda: json.loads("{")))["frames"]
    assert frames[-1]["function"] == "raw_decode" and frames[-1]["file"].endswith("decoder.py")
    assert "source" not in frames[-1]


def test_a_secret_in_a_source_line_is_masked() -> None:
    def connect() -> None:
        open("/nonexistent", opener=lambda path, flags, password="hunter2": 1 // 0)  # noqa: SIM115

    assert "hunter2" not in json.dumps(failure_fields(raised(connect)))


def test_causes_come_first_and_each_is_redacted() -> None:
    def wraps() -> None:
        try:
            raise KeyError("token=hunter2")
        except KeyError as error:
            raise RuntimeError("the shop is closed") from error

    fields = failure_fields(raised(wraps))
    assert fields["cause"]["type"] == "KeyError" and "context" not in fields
    lines = failure_text(raised(wraps)).splitlines()
    assert lines.index("which caused:") < lines.index("RuntimeError: the shop is closed")
    assert "hunter2" not in "\n".join(lines)


def test_what_was_being_handled_is_told_unless_it_is_suppressed() -> None:
    def handles(*, suppress: bool) -> None:
        try:
            raise KeyError("first")
        except KeyError as error:
            if suppress:
                raise RuntimeError("second") from None
            raise RuntimeError("second") from (None if suppress else error.__cause__) or error

    def plainly() -> None:
        try:
            raise KeyError("first")
        except KeyError:
            raise RuntimeError("second")  # noqa: B904

    assert failure_fields(raised(plainly))["context"]["type"] == "KeyError"
    assert "context" not in failure_fields(raised(lambda: handles(suppress=True)))


def test_a_group_tells_each_of_its_errors_up_to_a_number() -> None:
    async def gathered() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(MOST_IN_GROUP + 3):
                group.create_task(_refused(number))

    async def _refused(number: int) -> None:
        raise ValueError(f"number {number}, secret=hunter2")

    fields = failure_fields(raised(lambda: asyncio.run(gathered())))
    assert fields["type"] == "ExceptionGroup"
    assert len(fields["errors"]) == MOST_IN_GROUP and fields["more"] == 3
    assert fields["errors"][0]["message"] == "number 0, secret=***"
    text = failure_text(raised(lambda: asyncio.run(gathered())))
    assert text.endswith("and 3 more") and "hunter2" not in text


def test_notes_are_redacted() -> None:
    error = ValueError("x")
    error.add_note("while it was told password=hunter2")
    assert failure_fields(error)["notes"] == ["while it was told password=***"]
    assert failure_text(error) == "ValueError: x\n    while it was told password=***"
    error.__notes__ = "not a list"  # type: ignore[assignment]
    assert "notes" not in failure_fields(error)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise SystemExit("asked")


class Talkative(Exception):
    def __str__(self) -> str:
        return "a" * 10**6 + " password=hunter2"


def _recursive(depth: int = 0) -> None:
    _recursive(depth + 1)


def _ring() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    raise first


def _many_causes() -> None:
    error: BaseException = ValueError("0")
    for number in range(10_000):
        after = ValueError(str(number))
        after.__cause__ = error
        error = after
    raise error


def _deep_group() -> None:
    group: Any = ValueError("inside")
    for _ in range(10_000):
        group = ExceptionGroup("group", [group])
    raise group


def _wide_group() -> None:
    group: Any = ValueError("inside")
    for _ in range(20):
        group = ExceptionGroup("group", [group, *(ValueError(str(each)) for each in range(50))])
    raise group


def _same_again_and_again() -> None:
    error = ValueError("one")
    group: Any = ExceptionGroup("group", [error] * 10)
    for _ in range(10):
        group = ExceptionGroup("group", [group] * 10)
    raise group


@pytest.mark.parametrize(
    "function",
    [
        lambda: (_ for _ in ()).throw(Unspeakable()),
        lambda: (_ for _ in ()).throw(Talkative()),
        _recursive,
        _ring,
        _many_causes,
        _deep_group,
        _wide_group,
        _same_again_and_again,
    ],
)
def test_any_exception_can_be_told_and_its_text_is_bounded(function: Callable[[], object]) -> None:
    error = raised(function)
    written = json.dumps(failure_fields(error)) + failure_text(error)
    assert len(written) < 200_000
    assert "hunter2" not in written


def test_of_a_recursion_the_beginning_and_the_end_are_told() -> None:
    frames = failure_fields(raised(_recursive))["frames"]
    assert len(frames) <= MOST_FRAMES + 1
    assert frames[0]["function"] == "raised" and frames[-1]["function"] == "_recursive"
    assert any("folded" in each for each in frames)


def test_what_validation_was_given_is_not_told() -> None:
    class Login(BaseModel):
        name: int

    given: Any = "2retnuh"[::-1]
    error = raised(lambda: Login(name=given))
    assert isinstance(error, ValidationError) and "hunter2" in str(error)
    written = json.dumps(failure_fields(error))
    assert "hunter2" not in written and "int_parsing" in written


def test_a_file_that_is_no_python_is_not_quoted(tmp_path: Path) -> None:
    code: Any = compile("raise ValueError('x')", str(tmp_path / ".env"), "exec")
    (tmp_path / ".env").write_text("SECRET_THING hunter2\n")
    error = raised(lambda: exec(code, {}))
    assert "hunter2" not in json.dumps(failure_fields(error))


def test_no_text_of_an_exception_steers_a_terminal_or_passes_for_another_line() -> None:
    hostile = "a\x1b[2J\x9b2J\x7f\u202e\u2028\ud800\r\n12:00:00 info    all is well"
    error = ValueError(hostile)
    error.add_note(hostile)
    text = failure_text(ExceptionGroup(hostile, [error]))
    assert all(line.isprintable() for line in text.splitlines())
    assert not any(line.startswith("12:00") for line in text.splitlines())
    assert text.count("all is well") == 3
