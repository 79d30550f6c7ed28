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
    # One plain loop: this is done for every request, and generators take twice as long.
    size_bytes = 0
    hosts: list[bytes] = []
    for name, value in headers:
        size_bytes += len(name) + len(value)
        if name == b"host":
            hosts.append(value)
    if is_first_to_look:
        limits = connection.watch.limits
        if size_bytes > limits.max_header_bytes or len(headers) > limits.max_headers:
            return connection.watch.refusals.large_head
        if not (is_valid_host(hosts[0]) if len(hosts) == 1 else _may_be_missing(connection, hosts)):
            return WRONG_HOST
    if url[:1] != b"/" and len(hosts) == 1 and names_other_host(url, hosts[0]):
        return OTHER_HOST
    return None


def _may_be_missing(connection: Connection, hosts: list[bytes]) -> bool:
    version: str = connection.parser.get_http_version()
    return not hosts and version == "1.0"
