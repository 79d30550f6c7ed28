"""Logs: lines that are written in the process of a job, and handled in its worker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["Forwarder", "forward_all", "handle"]

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({})))
_KEPT: Final = ("name", "levelno", "levelname", "pathname", "filename", "module", "lineno",
                "funcName", "created", "msecs", "threadName", "process", "processName")  # fmt: skip


class Forwarder(logging.Handler):
    """Sends every line to the worker.

    Args:
        send: Takes a line as JSON values, from any thread.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self._send = send
        self._formatter = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line; extras go along as far as they are plain values."""
        extras = {name: value for name, value in vars(record).items() if _is_extra(name, value)}
        line = {**extras, **{name: getattr(record, name) for name in _KEPT}}
        line["msg"] = record.getMessage()
        if record.exc_info:
            line["exc_text"] = self._formatter.formatException(record.exc_info)
        self._send(line)


def _is_extra(name: str, value: object) -> bool:
    return name not in _STANDARD and isinstance(value, str | int | float | None)


def forward_all(forwarder: Forwarder, *, level: int) -> None:
    """Let every line of this process go to the worker alone: its handlers are those that count.

    Args:
        forwarder: Sends them.
        level: The level of the worker's root logger.
    """
    for each in list(logging.root.manager.loggerDict.values()):
        if isinstance(each, logging.Logger):
            each.handlers.clear()
            each.propagate = True
    logging.root.handlers[:] = [forwarder]
    logging.root.setLevel(level)


def handle(line: Mapping[str, Any]) -> None:
    """Handle a line as if it had been written here."""
    record = logging.makeLogRecord(dict(line))
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)
