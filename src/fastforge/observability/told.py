"""Told: exceptions that stand in the line of their request, which servers then leave out.

Servers log each exception that an application lets out, as our line does. What no line has told of
they log as ever.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from traceback import format_exception_only
from typing import Final

__all__ = ["left_out_if_told", "mark_as_told"]

SERVERS: Final = ("uvicorn.error", "_granian.utils")
"""The loggers to which servers tell what an application has raised."""
MOST_REMEMBERED: Final = 100
_TOLD: Final = "__fastforge_told__"
_texts: Final[deque[str]] = deque(maxlen=MOST_REMEMBERED)
"""How the traceback of each told exception ends, for a server that writes it as a text."""


def mark_as_told(error: BaseException) -> None:
    """Note that a line has told of an exception."""
    with suppress(AttributeError, TypeError):  # a class may refuse attributes of others
        setattr(error, _TOLD, True)
    if "granian" in sys.modules:
        _texts.append(format_exception_only(error)[-1].strip())


@contextmanager
def left_out_if_told() -> Iterator[None]:
    """Let servers say nothing of exceptions that a line has told of."""
    loggers = [logging.getLogger(name) for name in SERVERS]
    news = _News()
    for logger in loggers:
        logger.addFilter(news)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(news)


class _News(logging.Filter):
    """Lets everything through but exceptions that a line has told of."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:
            return not getattr(record.exc_info[1], _TOLD, False)
        text = str(record.msg).strip() if _texts else ""
        for told in _texts:
            if text.endswith(told):
                _texts.remove(told)  # once for each: one that looks the same may be news
                return False
        return True
