"""Lines: the access lines of refused requests, never more than a log can bear."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from ...conf import Settings
from ...observability.access import access_log_of
from ...observability.metrics.recording import record_refusal

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["RefusalLines"]

LINES_A_SECOND: Final = 50
"""Whoever attacks costs the disk no more than that; one line tells how many more there were."""

logger = logging.getLogger("fastforge.server")


class RefusalLines:
    """Writes a line for each request that a connection has refused.

    A project's lines look like those of its other requests; those of any other application go
    where uvicorn writes its own.

    Args:
        settings: The project's, if it is one.
    """

    def __init__(self, settings: Settings | None) -> None:
        self._log = None if settings is None else access_log_of(settings)
        self._is_project = settings is not None
        self._second = 0
        self._written = self._left_out = 0

    def write(
        self, connection: Connection, *, status: int, request_id: str, duration_s: float
    ) -> None:
        """Write the line of one request, unless there have been too many in this second."""
        record_refusal(status)
        second = int(connection.loop.time())
        if second != self._second:
            self.tell()
            self._second, self._written = second, 0
        if self._written >= LINES_A_SECOND:
            self._left_out += 1
            return
        self._written += 1
        method, path = _seen(connection)
        if self._log is not None:
            client_address = connection.client[0] if connection.client else None
            self._log.write(request_id, method, path, None, status, duration_s, client_address)
        elif not self._is_project and connection.access_log:
            client = "{}:{}".format(*connection.client) if connection.client else ""
            connection.access_logger.info(
                '%s - "%s %s HTTP/%s" %d',
                client,
                method,
                path,
                "1.1",
                status,
            )

    def tell(self) -> None:
        """Say how many lines have been left out, if any."""
        if self._left_out:
            logger.warning("%d more requests were refused, without a line", self._left_out)
            self._left_out = 0


def _seen(connection: Connection) -> tuple[str, str]:
    """Return the method and the path of the request that has come last, as far as is known."""
    if connection.scope is None or not connection.url:
        return "-", "-"
    method: bytes = connection.parser.get_method()
    path = connection.url.partition(b"?")[0]
    if path[:1] != b"/":  # a whole URL may have a password in it
        return method.decode("ascii"), "-"
    return method.decode("ascii"), path.decode("ascii", "backslashreplace")
