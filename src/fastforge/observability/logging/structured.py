"""Structured: structlog's loggers, which write into the one stream without a chain of processors.

This module imports structlog. `waiting` brings it in as soon as the project does.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import structlog
from structlog.exceptions import DropEvent

from .current import current
from .records import LineHandler, level_name
from .rendering import safe_text

__all__ = ["EventLogger", "configured_structlog", "write_event"]


class EventLogger(structlog.BoundLoggerBase):
    """The logger that `structlog.get_logger()` gives: named as its module is, filtered by level.

    The level is that of the `logging` logger of the same name, so that one setting holds for both.
    A positional argument is put into the event with `%`, as `logging` does.

    ```python
    log = structlog.get_logger()
    log.info("order placed", order_id=7)
    log.bind(shop="north").warning("stock is low", left=2)
    ```
    """

    _logger: logging.Logger

    def debug(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Tell of something that only matters to whoever looks for a fault."""
        if self.isEnabledFor(logging.DEBUG):
            self._tell("debug", event, args, fields)

    def info(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Tell of something that has happened."""
        if self.isEnabledFor(logging.INFO):
            self._tell("info", event, args, fields)

    def warning(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Tell of something that should not have happened."""
        if self.isEnabledFor(logging.WARNING):
            self._tell("warning", event, args, fields)

    def error(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Tell of something that has failed."""
        if self.isEnabledFor(logging.ERROR):
            self._tell("error", event, args, fields)

    def critical(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Tell of something that ends more than itself."""
        if self.isEnabledFor(logging.CRITICAL):
            self._tell("critical", event, args, fields)

    def exception(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Tell of something that has failed, with the exception that is being handled."""
        fields.setdefault("exc_info", True)
        self.error(event, *args, **fields)

    def log(self, level: int, event: Any = None, *args: Any, **fields: Any) -> None:
        """Tell of something with a level that is a number."""
        if self.isEnabledFor(level):
            self._tell(level_name(level, logging.getLevelName(level)), event, args, fields)

    warn = warning
    fatal = critical
    msg = info

    async def adebug(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Do what `debug` does, which waits for nothing."""
        self.debug(event, *args, **fields)

    async def ainfo(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Do what `info` does, which waits for nothing."""
        self.info(event, *args, **fields)

    async def awarning(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Do what `warning` does, which waits for nothing."""
        self.warning(event, *args, **fields)

    async def aerror(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Do what `error` does, which waits for nothing."""
        self.error(event, *args, **fields)

    async def acritical(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Do what `critical` does, which waits for nothing."""
        self.critical(event, *args, **fields)

    async def aexception(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Do what `exception` does, which waits for nothing."""
        self.exception(event, *args, **fields)

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - as in logging
        """Return whether events of a level are written, or captured by a test."""
        if self._logger.isEnabledFor(level):
            return True
        processors: Any = self._processors
        return bool(processors[:1] != [write_event])

    is_enabled_for = isEnabledFor

    @property
    def name(self) -> str:
        """The name that stands in its lines."""
        return self._logger.name

    def _tell(self, level: str, event: Any, args: tuple[Any, ...], fields: dict[str, Any]) -> None:
        context: Any = self._context
        told = {**context, **fields} if context else fields
        if args:
            event = _interpolated(event, args, told)
        processors: Any = self._processors
        if len(processors) == 1 and processors[0] is write_event:
            _write(self._logger, level, event, told)
            return
        # Somebody's own: structlog.testing.capture_logs puts one in.
        chained: Any = told if event is None else {**told, "event": event}
        try:
            for each in processors:
                chained = each(self._logger, level, chained)
        except DropEvent:
            return


def write_event(logger: logging.Logger, method_name: str, event_dict: Any) -> Any:
    """Write an event, as the last of structlog's processors.

    Raises:
        DropEvent: Always: nothing is left to do.
    """
    event = event_dict.pop("event", None)
    _write(logger, _LEVELS.get(method_name, method_name), event, event_dict)
    raise DropEvent


_LEVELS: Final = {"exception": "error", "warn": "warning", "fatal": "critical", "msg": "info"}


def _write(logger: logging.Logger, level: str, event: Any, fields: dict[str, Any]) -> None:
    error = _error_of(fields.pop("exc_info")) if "exc_info" in fields else None
    text = event if isinstance(event, str) else "" if event is None else safe_text(event)
    stream = current.stream
    if stream is not None:
        stream.write(level, text, logger.name, fields, error=error)
        if len(logging.root.handlers) > 1:  # of an exporter, or to a file: it hears of it as well
            _tell_others(_record(logger, level, text, fields, error))
    else:
        logger.handle(_record(logger, level, text, fields, error))


def _tell_others(record: logging.LogRecord) -> None:
    for handler in list(logging.root.handlers):
        if record.levelno >= handler.level and not isinstance(handler, LineHandler):
            handler.handle(record)


def _record(
    logger: logging.Logger,
    level: str,
    text: str,
    fields: dict[str, Any],
    error: BaseException | None,
) -> logging.LogRecord:
    """Return an event as `logging` has it, for handlers that are not ours, and for tests."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logger.makeRecord(logger.name, number, "(structlog)", 0, "%s", (text,), exc_info)
    taken = record.__dict__
    taken.update({f"{key}_" if key in taken else key: value for key, value in fields.items()})
    return record


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple) and len(exc_info) > 1:
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _interpolated(event: Any, args: tuple[Any, ...], fields: dict[str, Any]) -> Any:
    try:
        return event % args
    except Exception as failure:  # never the caller's trouble
        fields["log_error"] = f"{type(failure).__name__}: {failure}"
        return event


def _logger_of(*names: Any) -> logging.Logger:
    """Return the logger that an event is told by: named by the caller, else as its module is."""
    if names and isinstance(names[0], str):
        return logging.getLogger(names[0])
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module != __name__ and module.partition(".")[0] != "structlog":
            return logging.getLogger(module)
        frame = frame.f_back
    return logging.getLogger("structlog")


def configured_structlog() -> Callable[[], None]:
    """Let structlog's loggers write into the current stream; return what undoes that."""
    before = structlog.get_config()
    was_configured = structlog.is_configured()
    structlog.configure(
        processors=[write_event],
        wrapper_class=EventLogger,
        context_class=dict,
        logger_factory=_logger_of,
        cache_logger_on_first_use=True,
    )

    def undo() -> None:
        if structlog.get_config()["wrapper_class"] is not EventLogger:
            return  # somebody has configured it since
        structlog.reset_defaults()
        if was_configured:
            structlog.configure(**before)

    return undo
