"""Access: one line for each request, which costs a fraction of what the request does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from ..conf import Settings
from ..redaction import redacted_text
from .context import context_fields
from .context import request_id as current_id
from .failures import failure_fields, failure_text
from .lean import LeanWriter, Record, cut, printable
from .lines import LineBuffer
from .settings import Logging

__all__ = ["FAILURE", "AccessLog", "access_log_of", "left_out_if_told", "size_text"]

FAILURE: Final = "fastforge_failure"
"""The key of a request's state under which an exception stands that has been made an answer of."""
LOGGER: Final = "fastforge.access"
LONGEST_PATH: Final = 512
"""Characters of a path that are written: most whole lines then fit into one piece of a pipe."""
SERVER_ERROR: Final = 500
SERVERS: Final = ("uvicorn.error", "_granian")
"""The loggers to which servers tell what an application has raised."""
_TOLD: Final = "__fastforge_told__"


class AccessLog:
    """Writes what became of a request: a JSON object a line, or a text for a developer.

    A line is on its way within 50 ms; one of a failed request, and what was waiting before it, at
    once. The process that is killed loses the last 50 ms.

    ```python
    log = AccessLog()
    log.write(request_id="1", method="GET", path="/", route="/", status_code=200, duration_ms=1.2)
    ```

    Args:
        text: Write a text for a terminal.
        lines: Where the lines go; the buffer of the process by default.
        names_user: Whether a line says who has asked, where that is known.
    """

    __slots__ = ("_is_text", "_names_user", "_writer")

    def __init__(
        self, *, text: bool = False, lines: LineBuffer | None = None, names_user: bool = False
    ) -> None:
        self._is_text = text
        self._names_user = names_user
        render = _as_text if text else None
        self._writer = LeanWriter(LOGGER, role="web", text=render, lines=lines)

    def write(
        self,
        *,
        request_id: str,
        method: str,
        path: str,
        route: str | None,
        status_code: int | None,
        duration_ms: float,
        client: str | None = None,
        request_bytes: int | None = None,
        response_bytes: int | None = None,
        failure: str | None = None,
        cancelled: bool = False,
        code: str | None = None,
        error: BaseException | None = None,
        more: Record | None = None,
    ) -> None:
        """Write the line of one request.

        Args:
            request_id: Its id. What else is known of the request is taken from the context, if
                that is the one of this request.
            method: Its method; `WEBSOCKET` for a socket.
            path: Its path, without the query, which may hold secrets.
            route: The template of the route that answered; None when there is none.
            status_code: The status of the answer; None when there was none.
            duration_ms: The time until its last byte was handed over, in milliseconds.
            client: The client's address.
            request_bytes: The size of its body; None when there was none.
            response_bytes: The size of the answer's body.
            failure: The class of the exception that ended it, which nobody has handled.
            cancelled: Whether it ended because nobody waited for it any more.
            code: Why it has been refused, as a code of ours.
            error: Why it failed, whether somebody has handled that or not.
            more: What there is to say besides.
        """
        failed = failure is not None or (status_code or 0) >= SERVER_ERROR
        level = "info" if not failed else "warning" if failure is None else "error"
        record = self._writer.begin("request", level)
        record |= self._known_of(request_id)
        record["method"] = method
        record["path"] = _shown(path)
        record["route"] = route
        record["status_code"] = status_code
        record["duration_ms"] = duration_ms
        if request_bytes is not None:
            record["request_bytes"] = request_bytes
        if response_bytes is not None:
            record["response_bytes"] = response_bytes
        record["client"] = client
        if failure is not None:
            record["failure"] = failure
        if cancelled:
            record["cancelled"] = True
        if code is not None:
            record["code"] = code
        if more is not None:
            record |= more
        if error is not None:
            record["exception"] = failure_text(error) if self._is_text else failure_fields(error)
        self._writer.write(record, at_once=failed)
        if failure is not None:
            _mark_as_told(error)

    def close(self) -> None:
        """Write what is waiting; a process that ends loses nothing then."""
        self._writer.close()

    def _known_of(self, identity: str) -> Record:
        """Return the ids of a request: all that the context has, if it is the one of this request.

        What is written for a request from elsewhere must not be told as another one's.
        """
        if current_id.get() != identity:
            return {"request_id": identity}
        fields = context_fields()
        if not self._names_user:
            fields.pop("user_id", None)
        return fields


def access_log_of(settings: Settings) -> AccessLog | None:
    """Return what writes the lines of a project's requests; None where they have none.

    In the environment `test` there are none, and none where LOGGING says so.
    """
    section = settings.section(Logging)
    if settings.environment == "test" or not section.access_line:
        return None
    is_text = section.format_in(settings.environment) == "console"
    return AccessLog(text=is_text, names_user=section.user_id)


@contextmanager
def left_out_if_told() -> Iterator[None]:
    """Let servers say nothing of an exception that stands in the line of its request.

    They log each exception that an application lets out, as we do. One that no line has told of
    is logged by the server as ever.
    """
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
        error = record.exc_info[1] if record.exc_info else None
        return not getattr(error, _TOLD, False)


def _shown(path: str) -> str:
    """Return a path as it is written: short, and without a token that somebody has put into it."""
    if len(path) > LONGEST_PATH:
        path = cut(path, LONGEST_PATH)
    may_have_secret = "eyJ" in path or "=" in path or "@" in path  # to ask costs each request
    return redacted_text(path) if may_have_secret else path


def _mark_as_told(error: BaseException | None) -> None:
    with suppress(AttributeError, TypeError):  # a class may refuse attributes of others
        setattr(error, _TOLD, True)


def _as_text(record: Record) -> str:
    """Render what a developer wants to see: `GET /orders/7 200 3.1 ms 1.2 kB`."""
    status = record["status_code"] or "-"
    parts = [record["method"], record["path"], f"{status} {record['duration_ms']:.1f} ms"]
    if "response_bytes" in record:
        parts.append(size_text(record["response_bytes"]))
    if "request_bytes" in record:
        parts.append(f"(body {size_text(record['request_bytes'])})")
    more = (name for name in ("failure", "cancelled", "close_code", "code") if name in record)
    parts += (name if record[name] is True else f"{name}={record[name]}" for name in more)
    line = " ".join(map(printable, parts))
    exception = record.get("exception")
    return f"{line}\n{exception.rstrip()}\n" if exception else f"{line}\n"


def size_text(size_bytes: float) -> str:
    """Return a size as people read it.

    >>> size_text(17), size_text(1234), size_text(5_600_000)
    ('17 B', '1.2 kB', '5.6 MB')
    """
    if size_bytes < 1000:
        return f"{size_bytes} B"
    for unit in ("kB", "MB"):
        size_bytes /= 1000
        if size_bytes < 1000:
            return f"{size_bytes:.1f} {unit}"
    return f"{size_bytes / 1000:.1f} GB"
