"""Access: one line for each request, which costs a fraction of what the request does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeAlias

from ..conf import Settings
from ..redaction import redacted_text
from ..redaction.rules import current as current_rules
from .context import request_id as current_id
from .context import user_id as current_user
from .logging.configuration import Configuration
from .paths import masked_path
from .settings import Logging
from .spans import somebody_traces, span_ids
from .told import mark_as_told

if TYPE_CHECKING:
    from .logging.rendering import Record
    from .logging.stream import Stream

__all__ = ["FAILURE", "NOTES", "AccessLog", "access_log_of", "size_text"]

FAILURE: Final = "fastforge_failure"
"""The key of a request's state under which an exception stands that has been made an answer of."""
NOTES: Final = "fastforge_notes"
"""The key of a request's or socket's state under which stands what its line says besides."""
LOGGER: Final = "fastforge.access"
ALWAYS_SHORT: Final = 256
"""Characters of which each may take six bytes, and a line still fits into one piece of a pipe."""
LONGEST_PATH: Final = 512
"""Characters of a path that are written, if they are plain ones."""
SERVER_ERROR: Final = 500

_Told: TypeAlias = tuple[
    int,  # when, in nanoseconds since the epoch; then what `write` is told
    str,
    tuple[str, str] | None,  # the trace and the span
    str | None,  # who has asked
    str,
    str,
    str | None,
    int | None,
    float,
    str | None,
    int | None,
    int | None,
]


class AccessLog:
    """Writes what became of a request: a JSON object a line, or a text for a developer.

    A line is on its way within 50 ms; one of a failed request, and what was waiting before it, at
    once. The process that is killed loses the last 50 ms.

    ```python
    log = access_log_of(project.settings)
    log.write("018f...", "GET", "/orders/7", "/orders/{order_id}", 200, 0.0031, "192.0.2.1")
    ```

    Args:
        stream: The lines of this process.
    """

    __slots__ = ("_is_text", "_stream")

    def __init__(self, stream: Stream) -> None:
        self._is_text = stream.is_text
        self._stream = stream

    def write(
        self,
        request_id: str,
        method: str,
        path: str,
        route: str | None,
        status_code: int | None,
        duration_s: float,
        client: str | None,
        request_bytes: int | None = None,
        response_bytes: int | None = None,
        more: Record | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Write the line of one request.

        Args:
            request_id: Its id. What else is known of the request is taken from the context, if
                that is the one of this request.
            method: Its method; `WEBSOCKET` for a socket.
            path: Its path, without the query, which may hold secrets.
            route: The template of the route that answered; None when there is none.
            status_code: The status of the answer; None when there was none.
            duration_s: The time until its last byte was handed over, in seconds.
            client: The client's address.
            request_bytes: The size of its body; None when it is not known.
            response_bytes: The size of the answer's body.
            more: What there is to say besides: `failure`, the class of an exception that nobody
                has handled; `cancelled`, when nobody waited any more; `code`, why it was refused.
            error: Why it failed, whether somebody has handled that or not.
        """
        # Every request pays for each step; what can be done later is, together with others.
        span = user = None
        if current_id.get() == request_id:  # else it would be told as another one's
            if somebody_traces():
                span = span_ids()
            user = current_user.get()
        told: _Told = (
            time.time_ns(),
            request_id,
            span,
            user,
            method,
            path,
            route,
            status_code,
            duration_s,
            client,
            request_bytes,
            response_bytes,
        )
        if more is None and (status_code is None or status_code < SERVER_ERROR):
            self._stream.lines.write_late(self._line, told)
        else:
            self._write_failure(told, status_code, more or {}, error)

    def write_afterwards(
        self, method: str, path: str, route: str | None, error: BaseException
    ) -> None:
        """Write that a request failed after its line: its client has had the whole answer.

        It is what background tasks raise, and dependencies when they end. The ids are those of the
        context.

        Args:
            method: Its method.
            path: Its path.
            route: The template of its route.
            error: What nobody has handled.
        """
        path = _shown(masked_path(path, route))
        event, fields = "failed after the answer", {"failure": type(error).__name__}
        if self._is_text:
            event = f"{method} {path} {event}"
        else:
            fields = {"method": method, "path": path, "route": route or "", **fields}
        self._stream.write("error", event, LOGGER, fields, error=error)
        mark_as_told(error)

    def close(self) -> None:
        """Write what is waiting; a process that ends loses nothing then."""
        self._stream.lines.close()

    def _line(self, told: _Told) -> bytes:
        event, fields = self._rendered(told)
        return self._stream.lean_line(event, LOGGER, told[0] // 1_000_000, fields)

    def _write_failure(
        self,
        told: _Told,
        status_code: int | None,
        more: Record,
        error: BaseException | None,
    ) -> None:
        has_failed = "failure" in more
        is_failure = has_failed or (status_code or 0) >= SERVER_ERROR
        level = "error" if has_failed else "warning" if is_failure else "info"
        event, fields = self._rendered(told)
        self._stream.write(level, event, LOGGER, {**fields, **more}, error=error)
        if has_failed and error is not None:
            mark_as_told(error)

    def _rendered(self, told: _Told) -> tuple[str, Record]:
        """Return what has happened, and the fields in the order in which they are written."""
        _, request_id, span, user, method, path, route, status_code = told[:8]
        duration_s, client, request_bytes, response_bytes = told[8:]
        duration_ms = int(duration_s * 1e6) / 1000
        path = _shown(masked_path(path, route))
        fields: Record = {"request_id": request_id}
        if span is not None:
            fields["trace_id"], fields["span_id"] = span
        if user is not None:
            fields["user_id"] = user
        if self._is_text:
            sizes = (request_bytes, response_bytes)
            return _text(method, path, status_code, duration_ms, *sizes), fields
        fields["method"] = method
        fields["path"] = path
        # A mount's has in it what a client has written for a parameter.
        fields["route"] = route if route is None or len(route) < ALWAYS_SHORT else _shown(route)
        fields["status_code"] = status_code
        fields["duration_ms"] = duration_ms
        if request_bytes is not None:
            fields["request_bytes"] = request_bytes
        if response_bytes is not None:
            fields["response_bytes"] = response_bytes
        fields["client"] = client
        return "request", fields


def access_log_of(settings: Settings) -> AccessLog | None:
    """Return what writes the lines of a project's requests; None where they have none.

    In the environment `test` there are none, and none where LOGGING says so.
    """
    if settings.environment == "test" or not settings.section(Logging).access_line:
        return None
    from .logging.process import stream_of

    return AccessLog(stream_of(Configuration.of(settings, "web")))


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


def _shown(path: str) -> str:
    """Return a path as it is written: short, and without a token that somebody has put into it."""
    if len(path) > ALWAYS_SHORT:
        is_plain = path.isascii() and path.isprintable()
        longest = LONGEST_PATH if is_plain else ALWAYS_SHORT
        path = path if len(path) <= longest else f"{path[:longest]}..."
    # To look closer costs each request.
    may_have_secret = "eyJ" in path or "=" in path or "@" in path or current_rules().patterns
    return redacted_text(path) if may_have_secret else path


def _text(
    method: str,
    path: str,
    status_code: int | None,
    duration_ms: float,
    request_bytes: int | None,
    response_bytes: int | None,
) -> str:
    """Return what a developer wants to see: `GET /orders/7 200 3.1 ms 1.2 kB`."""
    text = f"{method} {path} {status_code or '-'} {duration_ms:.1f} ms"
    if response_bytes is not None:
        text += f" {size_text(response_bytes)}"
    return text if not request_bytes else f"{text} of {size_text(request_bytes)}"
