"""Records: what is written with `logging` becomes lines of the one stream."""

from __future__ import annotations

import logging
from itertools import islice
from typing import Any, Final

from ...redaction import MASK, is_sensitive
from .rendering import safe_text
from .stream import Stream

__all__ = ["EXCEPTION", "LineHandler", "level_name", "message_of", "written_fields"]

_STANDARD: Final = frozenset(
    {
        *vars(logging.makeLogRecord({})),
        # Of Python 3.12; of formatters; of uvicorn, for a terminal.
        *("taskName", "message", "asctime", "color_message", "fastforge_exception"),
    }
)
_FIRST: Final = len(vars(logging.makeLogRecord({})))
_NAMES: Final = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "critical",
}
_SHOWN: Final = 512
EXCEPTION: Final = "fastforge_exception"
"""Where a record from another process has its exception: as `text`, and as `fields`."""


class LineHandler(logging.Handler):
    """Renders a record into the same fields that structlog's events have.

    Surprises: there is no formatter, and no lock: the stream takes lines from any thread. A record
    that cannot be rendered is a line that says where; whoever wrote it does not hear of it.

    Args:
        stream: Where the lines go.
    """

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream

    def handle(self, record: logging.LogRecord) -> bool:
        """Write a record, unless a filter keeps it back."""
        if not self.filter(record):
            return False
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        fields = written_fields(record)
        try:
            event = message_of(record).rstrip("\n")
        except Exception as failure:
            event = safe_text(record.msg)[:_SHOWN]
            fields["log_error"] = f"{type(failure).__name__}: {safe_text(failure)[:_SHOWN]}"
            fields["log_call"] = f"{record.pathname}:{record.lineno}"
        if record.stack_info:
            fields["stack"] = record.stack_info
        self._stream.write(
            level_name(record.levelno, record.levelname),
            event,
            record.name,
            fields,
            error=record.exc_info[1] if record.exc_info else None,
            exception=self._known(record.__dict__.get(EXCEPTION)),
            at_ms=int(record.created * 1000),
            pid=record.process,
        )

    def _known(self, exception: Any) -> Any:
        return exception and exception["text" if self._stream.is_text else "fields"]

    def flush(self) -> None:
        """Write what waits: `logging.shutdown` asks for that when the process ends."""
        self._stream.lines.close()


def message_of(record: logging.LogRecord) -> str:
    """Return what was said; of arguments by name, as `%(token)s` is one, without the secrets."""
    if type(record.args) is not dict or not record.args:
        return record.getMessage()
    arguments = {
        name: MASK if isinstance(value, str) and is_sensitive(name) else value
        for name, value in record.args.items()
    }
    return str(record.msg) % arguments


def written_fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return what the caller has written as `extra`."""
    members = record.__dict__
    if len(members) <= _FIRST:
        return {}
    since = islice(members.items(), _FIRST, None)  # a record has its own attributes first
    return {name: value for name, value in since if name not in _STANDARD}


def level_name(number: int, name: str = "") -> str:
    """Return the name of a level in lower case, also of one that somebody has made."""
    return _NAMES.get(number) or name.lower() or str(number)
