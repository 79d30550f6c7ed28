"""The console form is for people: aligned, coloured where wanted, and safe for a terminal."""

from __future__ import annotations

import io
import logging
import re
from typing import Any

import pytest
import structlog

from fastforge.observability.logging.console import Console, is_coloured
from fastforge.observability.logging.output import process_lines

from .conftest import Enter

RECORD: dict[str, Any] = {
    "timestamp": "2026-11-29T20:58:43.253Z",
    "level": "info",
    "event": "order placed",
    "logger": "shop.orders",
    "pid": 7,
    "role": "web",
    "request_id": "018f",
    "order_id": 7,
    "customer": "Ada Lovelace",
}


def rendered(**more: Any) -> str:
    return Console(coloured=False)({**RECORD, **more}).decode()


def test_a_line_has_the_time_the_level_the_event_and_its_fields() -> None:
    pattern = (
        r"\d\d:\d\d:43\.253 info     shop\.orders {10}order placed {20}"
        r" order_id=7 customer='Ada Lovelace'\n"
    )
    assert re.fullmatch(pattern, rendered())


def test_a_failure_names_its_request() -> None:
    assert "request_id=018f" in rendered(level="error")
    assert "request_id" not in rendered()


def test_an_exception_has_lines_of_its_own(
    enter: Enter, capsys: pytest.CaptureFixture[str]
) -> None:
    enter(shape="console")
    try:
        raise ValueError("first\nsecond \x1b[31m")
    except ValueError:
        logging.getLogger("shop").exception("failed")
    process_lines().flush()
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.split()[1:] == ["error", "shop", "failed"]
    assert all(line.startswith("    ") for line in lines)
    assert any("ValueError: first" in line for line in lines)
    assert not any("\x1b" in line for line in lines)


def test_what_is_printed_keeps_its_place_among_the_lines(
    enter: Enter, capsys: pytest.CaptureFixture[str]
) -> None:
    enter(shape="console")
    structlog.get_logger().info("one")
    print("two")
    structlog.get_logger().info("three")
    assert re.findall("one|two|three", capsys.readouterr().out) == ["one", "two", "three"]


def test_no_value_steers_a_terminal_or_passes_for_another_line() -> None:
    line = rendered(event="a\nb\x1b[31m", evil="c\r\n\u202e", **{"x\ny": 1})
    assert line.count("\n") == 1
    assert line.removesuffix("\n").isprintable()


def test_colours_are_there_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert (is_coloured(Terminal()), is_coloured(io.StringIO()), is_coloured(None)) == (
        True, False, False,
    )  # fmt: skip
    monkeypatch.setenv("TERM", "dumb")
    assert not is_coloured(Terminal())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert is_coloured(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not is_coloured(Terminal())
    assert "\x1b[32m" in Console(coloured=True)(RECORD).decode()
