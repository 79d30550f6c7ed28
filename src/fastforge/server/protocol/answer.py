"""Answer: the head of an answer whose body is short and comes at once, as most do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE

__all__ = ["LONGEST_BODY_BYTES", "plain_head"]

LONGEST_BODY_BYTES: Final = 65536
"""How long a body may be that is written with its head: to join them is to copy it."""

LENGTH: Final = b"content-length"
END: Final = b"\r\n\r\n"
CLOSING_END: Final = b"\r\nconnection: close\r\n\r\n"


def plain_head(
    status: int, headers: Sequence[tuple[bytes, bytes]], *, keep_alive: bool
) -> tuple[bytes, int] | None:
    """Return the bytes of a head, and the length of the body that it announces.

    They are those that uvicorn makes, which looks at each header by itself.

    Args:
        status: The status of the answer.
        headers: All headers, those that the server adds too.
        keep_alive: Whether the connection stays open after the answer.

    Returns:
        None where something is not as usual, or wrong: then it is uvicorn's to write or to refuse.
    """
    fields = dict(headers)
    length, line = fields.get(LENGTH), STATUS_LINE.get(status)
    if length is None or line is None or len(fields) != len(headers) or not length.isdigit():
        return None
    size_bytes = int(length)
    if size_bytes > LONGEST_BODY_BYTES or b"connection" in fields or b"transfer-encoding" in fields:
        return None
    names = b"".join(fields)
    if not names.islower() or HEADER_RE.search(names):
        return None
    if HEADER_VALUE_RE.search(b"".join(fields.values())):
        return None
    lines = b"\r\n".join(map(b": ".join, headers))
    return line + lines + (END if keep_alive else CLOSING_END), size_bytes
