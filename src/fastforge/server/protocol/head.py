"""Head: what is wrong with the headers of a request that have come to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .authority import is_valid_host, names_other_host
from .refusals import OTHER_HOST, WRONG_HOST, Refusal

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["objection_to"]


def objection_to(connection: Connection, *, is_first_to_look: bool) -> Refusal | None:
    """Return why the request that has come last is refused; None: it is not.

    Args:
        connection: The connection.
        is_first_to_look: Whether no edge will look at the headers after this.

    Raises:
        httptools.HttpParserInvalidURLError: Its URL is none.
    """
    headers, url = connection.headers, connection.url
    hosts = [value for name, value in headers if name == b"host"]
    if is_first_to_look:
        limits = connection.watch.limits
        size_bytes = sum(len(name) + len(value) for name, value in headers)
        if len(headers) > limits.max_headers or size_bytes > limits.max_header_bytes:
            return connection.watch.refusals.large_head
        is_old = connection.parser.get_http_version() == "1.0"
        if len(hosts) > 1 or not (hosts or is_old) or not all(map(is_valid_host, hosts)):
            return WRONG_HOST
    if url[:1] != b"/" and len(hosts) == 1 and names_other_host(url, hosts[0]):
        return OTHER_HOST
    return None
