"""Logs: lines that are written in the process of a job, and handled in its worker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from ...observability.context import context_fields
from ...observability.failures import failure_fields, failure_text
from ...observability.logging.records import EXCEPTION, message_of
from ...observability.logging.stream import bound_fields
from ...redaction import redacted

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

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line, with the ids of what runs here, what is bound here, and its extras."""
        extras = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line = redacted({**context_fields(), **bound_fields(), **extras})
        line |= {name: getattr(record, name) for name in _KEPT}
        try:
            line["msg"] = message_of(record)
        except Exception as failure:  # of the arguments, which are somebody else's
            line["msg"], line["log_error"] = str(record.msg), type(failure).__name__
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text = failure_text(error)
            line |= {"exc_text": text, EXCEPTION: {"text": text, "fields": failure_fields(error)}}
        self._send(line)


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
