"""Whoever speaks, and whatever he says, it is one line with the same keys."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
import threading
import traceback
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from fastforge.exceptions import ErrorGroup, SettingsError
from fastforge.observability.context import request_id
from fastforge.observability.logging.hooks import handle_loop_errors

from .conftest import Enter

REQUIRED = ("timestamp", "level", "event", "logger", "pid")


def test_structlog_and_logging_write_the_same_line(enter: Enter) -> None:
    told = enter(fields={"service": "shop"})
    before = datetime.now(UTC).replace(microsecond=0)
    with structlog.contextvars.bound_contextvars(tenant="north"):
        structlog.get_logger("shop").info("order placed", order_id=7)
        logging.getLogger("shop").info("order placed", extra={"order_id": 7})
    one, other = told()
    assert before <= datetime.fromisoformat(one.pop("timestamp")) <= datetime.now(UTC)
    assert other.pop("timestamp").endswith("Z")
    assert one == other
    assert list(one) == ["level", "event", "logger", "pid", "role", "service", "tenant", "order_id"]
    assert (one["level"], one["pid"], one["role"]) == ("info", os.getpid(), "web")


def test_the_ids_of_what_runs_are_in_every_line(enter: Enter) -> None:
    told = enter()
    token = request_id.set("r-1")
    logging.getLogger("shop").info("one")
    structlog.get_logger().info("two")
    request_id.reset(token)
    logging.getLogger("shop").info("three")
    assert [line.get("request_id") for line in told()] == ["r-1", "r-1", None]


def test_a_logger_without_a_name_has_that_of_its_module(enter: Enter) -> None:
    told = enter()
    structlog.get_logger().info("hello")
    assert told()[0]["logger"] == __name__


@pytest.mark.parametrize("method", ["debug", "info", "warning", "error", "critical"])
async def test_each_level_has_its_name(enter: Enter, method: str) -> None:
    told = enter(level="debug")
    getattr(structlog.get_logger(), method)("said %s", "so", more=1)
    getattr(logging.getLogger("shop"), method)("said %s", "so", extra={"more": 1})
    await getattr(structlog.get_logger(), f"a{method}")("said so", more=1)
    lines = told()
    assert [(line["level"], line["event"], line["more"]) for line in lines] == [
        (method, "said so", 1)
    ] * 3


def test_levels_hold_for_structlog_and_for_logging(enter: Enter) -> None:
    told = enter(level="warning", levels={"shop.orders": "debug"})
    for name in ("shop", "shop.orders", "shop.orders.prices"):
        structlog.get_logger(name).debug("a")
        logging.getLogger(name).debug("b")
    assert [line["logger"] for line in told()] == ["shop.orders"] * 2 + ["shop.orders.prices"] * 2


def test_a_level_may_be_changed_while_the_process_runs(enter: Enter) -> None:
    told = enter()
    log = structlog.get_logger("shop.changing")
    log.debug("not yet")
    logging.getLogger("shop.changing").setLevel("DEBUG")
    log.debug("now")
    logging.getLogger("shop.changing").setLevel("NOTSET")
    assert [line["event"] for line in told()] == ["now"]


def test_exceptions_are_told_without_secrets(enter: Enter) -> None:
    told = enter()
    try:
        raise ValueError("postgresql://shop:sesame@db/shop")
    except ValueError as error:
        logging.getLogger("shop").exception("failed")
        structlog.get_logger().exception("failed")
        structlog.get_logger().error("failed", exc_info=error)
    for line in told():
        assert (line["level"], line["exception"]["type"]) == ("error", "ValueError")
        assert "sesame" not in json.dumps(line)


def test_secrets_are_found_by_name_and_by_form(enter: Enter) -> None:
    told = enter()
    log = structlog.get_logger()
    log.info("in", password="sesame", headers={"Authorization": "sesame"})
    log.info("password=sesame")
    log.info("at", url="redis://:sesame@cache/0")
    logging.getLogger("shop").info("to %s", "redis://:sesame@cache/0", extra={"api_key": "sesame"})
    log.info("harmless", url="redis://cache/0")
    lines = told()
    assert len(lines) == 5
    assert "sesame" not in json.dumps(lines)
    assert lines[-1]["url"] == "redis://cache/0"


# --- whatever is said ----------------------------------------------------------------------------


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


@dataclass
class Login:
    password: str


@pytest.mark.parametrize(
    "value",
    [2**80, -(2**80), "half \ud800", {1: 2, None: "\ud800"}, Hostile(), Login("sesame"), object(),
     float("nan"), b"\xff", {1, 2}, [[[[[[[[[[[[1]]]]]]]]]]]], Path("a"), SimpleNamespace(a=1)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_any_value_is_one_line(enter: Enter, value: Any) -> None:
    told = enter()
    structlog.get_logger().info("any", value=value, level=3)
    logging.getLogger("shop").info("any", extra={"value": value, "level": 3})
    lines = told()
    assert len(lines) == 2
    for line in lines:
        assert (line["level"], line["level_"], "value" in line) == ("info", 3, True)
        assert isinstance(line["pid"], int)
        assert "sesame" not in json.dumps(line)


def test_events_that_are_no_text_are_written(enter: Enter) -> None:
    told = enter()
    logging.getLogger("shop").info({"a": 1})
    structlog.get_logger().info(7)
    structlog.get_logger().info(Hostile())
    structlog.get_logger().info()
    assert [line["event"] for line in told()] == ["{'a': 1}", "7", "<Hostile>", ""]


def test_wrong_arguments_are_told_of_and_fail_nobody(
    enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])  # pytest's raise
    told = enter()
    logging.getLogger("shop").info("%d orders", "many")
    structlog.get_logger().info("%d orders", "many")
    logging.getLogger("shop").info("%s", Hostile())
    first, second, third = told()
    assert (first["event"], second["event"]) == ("%d orders", "%d orders")
    assert first["log_call"].startswith(__file__)
    assert first["log_error"] == second["log_error"]
    assert first["log_error"].startswith("TypeError: %d format: a")
    assert "RuntimeError" in third["log_error"]


def test_arguments_by_name_are_masked_by_their_names(enter: Enter) -> None:
    told = enter()
    given = {"token": "k-77", "user": "ada", "count": 3}
    logging.getLogger("shop").info("%(user)s came %(count)d times with %(token)s", given)
    assert [line["event"] for line in told()] == ["ada came 3 times with ***"]


def test_nothing_steers_a_terminal_or_passes_for_another_line(
    enter: Enter, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = 'red \x1b[31m \x9b31m \x7f\n{"level":"critical"}\r\u2028'
    enter()
    structlog.get_logger().info(evil, evil=evil)
    (line,) = capsys.readouterr().out.removesuffix("\n").split("\n")
    assert not {"\x1b", "\x9b", "\x7f", "\r"} & set(line)
    assert json.loads(line)["event"] == evil


def test_long_fields_are_cut_and_so_are_long_lines(
    enter: Enter, capsys: pytest.CaptureFixture[str]
) -> None:
    enter(max_field_bytes=100, max_line_bytes=2000)
    structlog.get_logger().info("long", text="ü" * 1000, number=1, many=list(range(90)))
    structlog.get_logger().info("longer", **{f"text{number}": "x" * 90 for number in range(90)})
    first, second = capsys.readouterr().out.splitlines()
    line = json.loads(first)
    assert len(line["text"].encode()) <= 100
    assert line["text"].endswith("...")
    assert (line["number"], len(line["many"])) == (1, 100)
    assert json.loads(second)["event"] == "longer"


# --- who else speaks -----------------------------------------------------------------------------


def test_warnings_have_their_place(enter: Enter) -> None:
    told = enter()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        sys.modules["warnings"].showwarning = _ours()
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    (line,) = told()
    assert (line["event"], line["category"], line["level"]) == (
        "old",
        "DeprecationWarning",
        "warning",
    )
    assert line["file"] == __file__
    assert isinstance(line["line"], int)


def _ours() -> Any:
    """What shows warnings in this process; `catch_warnings` keeps pytest's in its place."""
    from fastforge.observability.logging.hooks import _Hooks

    return _Hooks.warned(_Hooks.__new__(_Hooks), print)


def test_a_thread_that_fails_is_a_line(enter: Enter) -> None:
    told = enter()
    thread = threading.Thread(target=lambda: 1 / 0, name="feeder")
    thread.start()
    thread.join()
    (line,) = told()
    assert (line["thread"], line["exception"]["type"]) == ("feeder", "ZeroDivisionError")


def test_a_process_that_fails_is_a_line(enter: Enter) -> None:
    told = enter()
    mistakes = [SettingsError(f"mistake {n}", code="conf.E001", hint="do") for n in (1, 2)]
    try:
        raise ValueError("no")
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    sys.excepthook(ErrorGroup, ErrorGroup(mistakes), None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    first, *others, last = told()
    assert (first["level"], first["exception"]["message"]) == ("critical", "no")
    assert [(line["event"], line["code"], line["hint"]) for line in others] == [
        ("mistake 1", "conf.E001", "do"), ("mistake 2", "conf.E001", "do"),
    ]  # fmt: skip
    assert last["event"] == "interrupted"


def test_an_exception_that_nobody_can_handle_is_a_line(enter: Enter) -> None:
    class Closing:
        def __del__(self) -> None:
            raise KeyError("gone")

    told = enter()
    closing = Closing()
    del closing
    gc.collect()
    (line,) = told()
    assert line["exception"]["type"] == "KeyError"


async def test_a_task_that_nobody_awaits_is_a_line(enter: Enter) -> None:
    async def fail() -> None:
        raise OSError("nobody awaits me")

    told = enter()
    asyncio.get_running_loop().set_exception_handler(None)  # that of the test's runner
    handle_loop_errors()
    task = asyncio.create_task(fail(), name="sender")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()
    (line,) = told()
    assert (line["logger"], line["task_name"]) == ("asyncio", "sender")
    assert line["exception"]["message"] == "nobody awaits me"


def test_what_is_printed_is_lines(enter: Enter) -> None:
    told = enter()
    print("one", end="")
    print(" line")
    print("two\nlines", file=sys.stderr)
    print(flush=True)
    sys.stdout.buffer.write(b"bytes \xff\n")
    print("no end", end="")
    lines = told()
    assert [(line["logger"], line["level"], line["event"]) for line in lines] == [
        ("stdout", "info", "one line"),
        ("stderr", "warning", "two"),
        ("stderr", "warning", "lines"),
        ("stdout", "info", "bytes \\xff"),
    ]


def test_a_printed_traceback_is_one_line(enter: Enter) -> None:
    told = enter()
    try:
        raise ValueError("no")
    except ValueError:
        traceback.print_exc()
    print("after", file=sys.stderr)
    first, second = told()
    assert (first["event"], first["level"]) == ("ValueError: no", "error")
    assert first["traceback"].startswith("Traceback")
    assert second["event"] == "after"


def test_lines_of_threads_that_print_are_whole(enter: Enter) -> None:
    def speak(letter: str) -> None:
        for _ in range(100):
            print(letter, end="")
            print(letter)

    told = enter()
    threads = [threading.Thread(target=speak, args=(each,)) for each in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    events = [line["event"] for line in told()]
    assert sorted(events) == sorted(["aa", "bb", "cc", "dd"] * 100)


def test_handlers_to_the_terminal_do_not_say_it_twice(enter: Enter) -> None:
    noisy = logging.getLogger("shop.noisy")
    noisy.addHandler(logging.StreamHandler(sys.stderr))
    noisy.propagate = False
    told = enter()
    noisy.warning("once")
    assert [line["logger"] for line in told()] == ["shop.noisy"]


def test_handlers_to_elsewhere_hear_of_everything(enter: Enter, tmp_path: Path) -> None:
    handler = logging.FileHandler(tmp_path / "log")
    logging.root.addHandler(handler)
    try:
        enter()
        logging.getLogger("shop").info("one")
        structlog.get_logger("shop").info("two %s", "%s", name="taken")
    finally:
        logging.root.removeHandler(handler)
        handler.close()
    assert (tmp_path / "log").read_text() == "one\ntwo %s\n"


def test_every_line_has_what_every_line_has(enter: Enter) -> None:
    told = enter()
    print("a")
    logging.getLogger().warning("b")
    structlog.get_logger().error("c")
    lines = told()
    assert len(lines) == 3
    for line in lines:
        assert tuple(line)[:5] == REQUIRED
