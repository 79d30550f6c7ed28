"""Access: one line for each request, which costs a fraction of what the request does."""

from __future__ import annotations

import time
from typing import Any, Final, TypeAlias

import orjson

from .lines import ATOMIC_BYTES, LineBuffer

__all__ = ["AccessLog", "access_log_in"]

Record: TypeAlias = dict[str, Any]

LONGEST_PATH: Final = 512
"""Characters of a path that are written: most whole lines then stay below ATOMIC_BYTES."""
LONGEST_OF_ALL: Final = 128
"""Characters of each text in a line that does not: a route has in it what a client has written for
the parameter of a mount, and a character may take six bytes and more."""
SERVER_ERROR: Final = 500


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
        lines: Where the lines go; standard output by default.
    """

    def __init__(self, *, text: bool = False, lines: LineBuffer | None = None) -> None:
        self._lines = lines or LineBuffer()
        self._render = _as_text if text else _as_json
        self._second = self._millisecond = -1
        self._second_text = self._millisecond_text = ""

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
        failure: str | None = None,
        cancelled: bool = False,
        close_code: int | None = None,
    ) -> None:
        """Write the line of one request.

        Args:
            request_id: Its id.
            method: Its method; `WEBSOCKET` for a socket.
            path: Its path, without the query, which may hold secrets.
            route: The template of the route that answered; None when there is none.
            status_code: The status of the answer; None when there was none.
            duration_ms: The time until its last byte was handed over, in milliseconds.
            client: The client's address.
            failure: The class of the exception that ended it.
            cancelled: Whether it ended because nobody waited for it any more.
            close_code: How a socket was closed.
        """
        failed = failure is not None or (status_code or 0) >= SERVER_ERROR
        record: Record = {
            "timestamp": self._timestamp(),
            "level": "warning" if failed else "info",
            "event": "request",
            "request_id": request_id,
            "method": method,
            "path": path if len(path) <= LONGEST_PATH else _cut(path, LONGEST_PATH),
            "route": route,
            "status_code": status_code,
            "duration_ms": duration_ms,
            "client": client,
        }
        if failure is not None:
            record["failure"] = failure
        if cancelled:
            record["cancelled"] = True
        if close_code is not None:
            record["close_code"] = close_code
        line = self._render(record)
        if len(line) > ATOMIC_BYTES:
            line = self._render({key: _cut(each, LONGEST_OF_ALL) for key, each in record.items()})
        self._lines.write(line)
        if failed:
            self._lines.flush()

    def close(self) -> None:
        """Write what is waiting; a process that ends loses nothing then."""
        self._lines.close()

    def _timestamp(self) -> str:
        """Return the time; what does not change in a second, or a millisecond, is kept."""
        milliseconds = time.time_ns() // 1_000_000
        if milliseconds == self._millisecond:
            return self._millisecond_text
        second = milliseconds // 1000
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        self._millisecond = milliseconds
        self._millisecond_text = f"{self._second_text}.{milliseconds % 1000:03d}Z"
        return self._millisecond_text


def access_log_in(environment: str) -> AccessLog | None:
    """Return what writes the lines in an environment: a text in development, none in tests."""
    return None if environment == "test" else AccessLog(text=environment == "development")


def _cut(value: Any, length: int) -> Any:
    """Return the beginning of a text, if it is longer; anything else as it is."""
    is_longer = isinstance(value, str) and len(value) > length
    return f"{value[:length]}..." if is_longer else value


def _as_json(record: Record) -> bytes:
    try:
        return orjson.dumps(record, None, orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # text that is no Unicode: half of a surrogate pair
        whole = {key: _printable(value) for key, value in record.items()}
        return orjson.dumps(whole, None, orjson.OPT_APPEND_NEWLINE)


def _as_text(record: Record) -> bytes:
    """Render what a developer wants to see: `GET /orders/7 200 3.1 ms`."""
    status = record["status_code"] or "-"
    parts = [record["method"], record["path"], f"{status} {record['duration_ms']:.1f} ms"]
    more = (name for name in ("failure", "cancelled", "close_code") if name in record)
    parts += (name if record[name] is True else f"{name}={record[name]}" for name in more)
    return f"{' '.join(map(_printable, parts))}\n".encode()


def _printable(value: Any) -> Any:
    """Return a text so that it cannot steer a terminal; anything else as it is."""
    if not isinstance(value, str) or value.isprintable():
        return value
    return value.encode("unicode_escape", "replace").decode("ascii")
