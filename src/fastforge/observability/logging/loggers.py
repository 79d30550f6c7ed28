"""Loggers: `logging` as a whole writes into the one stream, and nothing else to the terminal."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final

from .configuration import Configuration

__all__ = ["configured_loggers"]

QUIET: Final = {
    "uvicorn.error": "warning",
    "gunicorn.error": "warning",
    "httpx": "warning",
    "httpx2": "warning",
    "httpcore": "warning",
    "httpcore2": "warning",
    "alembic": "warning",
    "asyncio": "info",
}
"""Levels that hold where nobody has said one: what these say of every start, of every request that
goes out and of every comparison of tables is no news. `httpx` writes whole URLs."""
EMBEDDED: Final = {"fastforge.worker": "warning", "fastforge.tasks": "warning"}
"""The same for a worker inside of a server, while somebody develops: the banner tells of it."""
ACCESS: Final = ("uvicorn.access", "_granian.access", "granian.access", "hypercorn.access")
"""The loggers of servers' own lines for each request."""
SELF_MADE: Final = ("sqlalchemy.engine.Engine", "sqlalchemy.pool.impl.AsyncAdaptedQueuePool")
"""Loggers that are given a handler to standard output by `echo=True`, unless they have one."""

REVIVED: Final = frozenset({*QUIET, "py.warnings"})
"""Loggers that speak, beside our own, although somebody has disabled them: `dictConfig` does that
to each one that exists, unless it is told not to, and tasks would then fail without a trace."""

Undo = Callable[[], None]


def configured_loggers(configuration: Configuration, handler: logging.Handler) -> Undo:
    """Let all loggers write by a handler; return what undoes that.

    Handlers that write to the terminal are taken away, wherever they are, and what they would have
    written is propagated; others stay: files, exporters, those of a test. Levels that somebody has
    set stay as well, but for those that the configuration names. What somebody changes afterwards
    stays when this is undone.

    Args:
        configuration: The levels, and what is left out.
        handler: Goes to the root logger.
    """
    changes = _Changes()
    for logger in _all_loggers():
        changes.without_terminal(logger)
        if logger.name in REVIVED or logger.name.startswith("fastforge."):
            changes.revive(logger)
    for name in SELF_MADE:
        changes.add(logging.getLogger(name), logging.NullHandler())
    changes.add(logging.root, handler)
    changes.set_level(logging.root, configuration.level)
    quiet = {**QUIET, **(EMBEDDED if configuration.role == "web" else {})}
    for name, level in quiet.items():
        if logging.getLogger(name).level == logging.NOTSET:
            changes.set_level(logging.getLogger(name), level)
    for name, level in configuration.levels.items():
        changes.set_level(logging.getLogger(name), level)
    for name in ACCESS if configuration.replaces_access else ():
        changes.silence(logging.getLogger(name))
    return changes.undo


class _Changes:
    """What was changed of which logger, each as the step that undoes it."""

    def __init__(self) -> None:
        self._steps: list[Undo] = []

    def undo(self) -> None:
        """Undo all of it, the last first."""
        while self._steps:
            self._steps.pop()()

    def add(self, logger: logging.Logger, handler: logging.Handler) -> None:
        """Give a logger a handler."""
        logger.addHandler(handler)
        self._steps.append(partial(logger.removeHandler, handler))

    def set_level(self, logger: logging.Logger, level: str) -> None:
        """Set the level of a logger."""
        before, number = logger.level, logging.getLevelNamesMapping()[level.upper()]
        logger.setLevel(number)
        self._steps.append(lambda: logger.setLevel(before) if logger.level == number else None)

    def revive(self, logger: logging.Logger) -> None:
        """Let a logger speak that somebody has disabled."""
        if logger.disabled:
            logger.disabled = False
            self._steps.append(partial(setattr, logger, "disabled", True))

    def without_terminal(self, logger: logging.Logger) -> None:
        """Take the handlers away that write to the terminal, and propagate to those that do."""
        taken = [each for each in logger.handlers if _writes_to_terminal(each)]
        if taken:
            self._take(logger, taken)
            self._propagate(logger, True)

    def silence(self, logger: logging.Logger) -> None:
        """Let nobody hear of a logger."""
        self._take(logger, list(logger.handlers))
        self._propagate(logger, False)

    def _take(self, logger: logging.Logger, handlers: list[logging.Handler]) -> None:
        for each in handlers:
            logger.removeHandler(each)
            self._steps.append(partial(logger.addHandler, each))

    def _propagate(self, logger: logging.Logger, value: bool) -> None:
        before, logger.propagate = logger.propagate, value

        def undo() -> None:
            if logger.propagate is value:
                logger.propagate = before

        self._steps.append(undo)


def _all_loggers() -> Iterator[logging.Logger]:
    yield logging.root
    for each in list(logging.root.manager.loggerDict.values()):
        if isinstance(each, logging.Logger):
            yield each


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
