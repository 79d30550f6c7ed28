"""What is configured can be undone, in any order, and what a project says of it holds."""

from __future__ import annotations

import importlib
import logging
import os
import subprocess
import sys
import threading
import warnings
from textwrap import dedent
from typing import Any

import pytest
import structlog

from fastforge.observability.logging.configuration import Configuration
from fastforge.observability.logging.process import configured, enter_logging
from tests.processes import run

from .conftest import Enter

WEB = Configuration(role="web", shape="json")
WORKER = Configuration(role="worker", shape="json", level="error", levels={"shop": "debug"})


def state() -> list[Any]:
    loggers = [logging.root, *(logging.getLogger(name) for name in ("uvicorn.error", "shop"))]
    return [
        sys.stdout, sys.stderr, sys.excepthook, sys.unraisablehook, threading.excepthook,
        warnings.showwarning, structlog.is_configured(), list(sys.meta_path),
        *((each.level, list(each.handlers), each.propagate) for each in loggers),
    ]  # fmt: skip


def test_all_is_as_before_once_it_is_left() -> None:
    before = state()
    leave = enter_logging(WORKER)
    assert configured() == WORKER
    assert state() != before
    leave()
    assert configured() is None
    assert state() == before


def test_two_projects_may_leave_in_any_order() -> None:
    before = state()
    leave_first, leave_second = enter_logging(WEB), enter_logging(WORKER)
    assert configured() == WORKER
    leave_first()
    assert configured() == WORKER
    leave_second()
    assert configured() is None
    assert state() == before


def test_a_project_that_leaves_gives_back_to_the_one_before() -> None:
    leave_first, leave_second = enter_logging(WEB), enter_logging(WORKER)
    leave_second()
    assert configured() == WEB
    assert logging.getLogger("shop").level == logging.NOTSET
    leave_first()


def test_what_others_change_meanwhile_stays() -> None:
    """SQLAlchemy sets a level when it is imported, if nobody has set one."""
    library = logging.getLogger("shop.library")
    leave = enter_logging(WORKER)  # which says a level of `shop`
    library.setLevel(logging.WARNING)
    logging.getLogger("shop").setLevel(logging.CRITICAL)
    leave()
    assert library.level == logging.WARNING
    assert logging.getLogger("shop").level == logging.CRITICAL
    library.setLevel(logging.NOTSET)
    logging.getLogger("shop").setLevel(logging.NOTSET)


def test_loggers_that_dict_config_has_disabled_speak(
    monkeypatch: pytest.MonkeyPatch, enter: Enter
) -> None:
    """It disables each one that exists unless it is told not to; the user's own stay so."""
    names = ("asyncio", "fastforge.server", "shop")
    loggers = [logging.getLogger(name) for name in names]
    for each in loggers:  # until `enter` has been left, which gives back what it has found
        monkeypatch.setattr(each, "disabled", True)
    told = enter()
    for each in loggers:
        each.error("spoken")
    assert [line["logger"] for line in told()] == ["asyncio", "fastforge.server"]


def test_in_tests_logging_is_left_alone_and_hears_of_events(
    caplog: pytest.LogCaptureFixture,
) -> None:
    leave = enter_logging(Configuration(role="web", shape="json", reach="structlog"))
    before = list(logging.root.handlers)
    structlog.get_logger("shop").warning("stock is low", left=2, name="taken")
    with structlog.testing.capture_logs() as captured:
        structlog.get_logger("shop").info("seen", by="the test")
    leave()
    assert logging.root.handlers == before
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("shop", "stock is low")
    assert (record.__dict__["left"], record.__dict__["name_"]) == (2, "taken")
    assert captured == [{"event": "seen", "log_level": "info", "by": "the test"}]


def test_loggers_that_were_used_outlive_what_they_were_used_in(
    enter: Enter, caplog: pytest.LogCaptureFixture
) -> None:
    log = structlog.get_logger("shop")
    leave = enter_logging(WEB)
    log.info("kept")
    leave()
    log.warning("of nobody")
    assert caplog.messages[-1] == "of nobody"
    told = enter()
    log.info("again")
    assert [line["event"] for line in told()] == ["kept", "again"]


def test_what_is_left_alone_is_left_alone() -> None:
    before = state()
    leave = enter_logging(Configuration(role="web", shape="json", reach="nothing"))
    assert state() == before
    leave()


def test_early_lines_go_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Configuration.early("web", "production").shape == "json"
    assert Configuration.early("web", "development").shape == "console"
    assert Configuration.early("web", "test").reach == "structlog"
    assert Configuration.early("web", "test", owns_process=True).reach == "process"
    assert Configuration.early("command", "production").level == "warning"
    monkeypatch.setenv("FASTFORGE_LOG_LEVEL", "debug")
    monkeypatch.setenv("FASTFORGE_LOG_FORMAT", "nonsense")
    early = Configuration.early("web", "production")
    assert (early.shape, early.level) == ("json", "info")


def test_it_goes_to_other_processes_as_one_word() -> None:
    assert Configuration.from_json(WORKER.to_json()) == WORKER


WAITING = """
    import json, sys
    from fastforge.observability.logging.configuration import Configuration
    from fastforge.observability.logging.process import enter_logging

    enter_logging(Configuration(role="web", shape="json"))
    print("structlog" in sys.modules)
    import structlog
    structlog.get_logger("shop").info("found")
    print(type(structlog.__loader__).__name__, structlog.__file__ is not None)
    """


def test_structlog_is_configured_when_it_is_imported_and_not_imported_before() -> None:
    result = run([sys.executable, "-c", dedent(WAITING)])
    first, second, third = result.stdout.splitlines()
    assert '"event":"False"' in first
    assert '"logger":"shop"' in second
    assert "SourceFileLoader True" in third


ENDING = """
    import asyncio, logging, os, signal, sys, warnings
    from fastforge.observability.logging.configuration import Configuration
    from fastforge.observability.logging.process import enter_logging

    enter_logging(Configuration(role="web", shape="json"))

    async def main():
        logging.getLogger("shop").info("the last")
        {end}

    asyncio.run(main())
    """


@pytest.mark.parametrize(
    "end", ["sys.exit(0)", "raise ValueError", "from fastforge.ending import end_now; end_now(0)"]
)
def test_nothing_is_lost_at_the_end(end: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", dedent(ENDING.format(end=end))],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert '"event":"the last"' in result.stdout
    assert result.stderr == ""


def test_the_modules_that_say_how_lines_look_are_light() -> None:
    importlib.import_module("fastforge.observability.logging.choices")
    program = (
        "import sys; import fastforge.observability.logging.choices as c; "
        "print(*sorted({'asyncio', 'orjson', 'structlog', 'pydantic'} & set(sys.modules)))"
    )
    assert run([sys.executable, "-c", program], env=dict(os.environ)).stdout == "\n"
