"""Loggers: `logging` as a whole writes into the one stream, and nothing else to the terminal."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

from .configuration import Configuration

__all__ = ["configured_loggers"]

QUIET: Final = {
    "uvicorn.error": "warning",
    "gunicorn.error": "warning",
    "httpx": "warning",
    "httpcore": "warning",
    "asyncio": "info",
}
"""Levels that hold where nobody has said one: what these say of every start, and of every request
that goes out, is no news. `httpx` writes whole URLs."""
ACCESS: Final = ("uvicorn.access", "_granian.access", "granian.access", "hypercorn.access")
"""The loggers of servers' own lines for each request."""
SELF_MADE: Final = ("sqlalchemy.engine.Engine", "sqlalchemy.pool.impl.AsyncAdaptedQueuePool")
"""Loggers that are given a handler to standard output by `echo=True`, unless they have one."""

Undo = Callable[[], None]


def configured_loggers(configuration: Configuration, handler: logging.Handler) -> Undo:
    """Let all loggers write by a handler; return what undoes that.

    Handlers that write to the terminal are taken away, wherever they are, and what they would have
    written is propagated; others stay: files, exporters, those of a test. Levels that somebody has
    set stay as well, but for those that the configuration names.

    Args:
        configuration: The levels, and what is left out.
        handler: Goes to the root logger.
    """
    states = [_State(logger) for logger in _all_loggers()]
    for each in states:
        _without_terminal(each.logger)
    root = logging.root
    root.addHandler(handler)
    root.setLevel(_number(configuration.level))
    named = [_State(logging.getLogger(name)) for name in (*QUIET, *configuration.levels)]
    for name, level in QUIET.items():
        if logging.getLogger(name).level == logging.NOTSET:
            logging.getLogger(name).setLevel(_number(level))
    for name, level in configuration.levels.items():
        logging.getLogger(name).setLevel(_number(level))
    silenced = ACCESS if configuration.replaces_access else ()
    others = [_State(logging.getLogger(name)) for name in (*silenced, *SELF_MADE)]
    for name in SELF_MADE:
        logging.getLogger(name).addHandler(logging.NullHandler())
    for name in silenced:
        logging.getLogger(name).handlers, logging.getLogger(name).propagate = [], False

    def undo() -> None:
        root.removeHandler(handler)
        for each in reversed([*states, *named, *others]):
            each.restore()

    return undo


class _State:
    """How a logger was, where it is different now."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger
        self._handlers = list(logger.handlers)
        self._propagates = logger.propagate
        self._level = logger.level

    def restore(self) -> None:
        """Put it back; a handler that somebody has added since stays."""
        since = [each for each in self.logger.handlers if each not in self._handlers]
        ours = [each for each in since if isinstance(each, logging.NullHandler)]
        self.logger.handlers[:] = [*self._handlers, *(each for each in since if each not in ours)]
        self.logger.propagate = self._propagates
        self.logger.setLevel(self._level)


def _all_loggers() -> Iterator[logging.Logger]:
    yield logging.root
    for each in list(logging.root.manager.loggerDict.values()):
        if isinstance(each, logging.Logger):
            yield each


def _without_terminal(logger: logging.Logger) -> None:
    kept = [each for each in logger.handlers if not _writes_to_terminal(each)]
    if len(kept) < len(logger.handlers):
        logger.handlers[:] = kept
        logger.propagate = True


def _writes_to_terminal(handler: logging.Handler) -> bool:
    if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
        return False
    stream: Any = getattr(handler, "stream", None)
    stream = getattr(stream, "beneath", stream)
    outputs = (getattr(each, "beneath", each) for each in (sys.stdout, sys.stderr))
    if stream in (*outputs, sys.__stdout__, sys.__stderr__):
        return True
    with suppress(Exception):  # it has no number
        return stream.fileno() in (1, 2)
    return False


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
