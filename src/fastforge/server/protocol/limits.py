"""Limits: how much of a connection's bytes and time one client may take."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from ...conf import Settings
from ...core.settings import Server

__all__ = ["Limits"]

FRAMING_BYTES: Final = 4
"""What stands around a name and a value: a colon, a space, and the end of the line."""
REQUEST_LINE_BYTES: Final = 64
"""More than the method, the version and what stands between."""
LOOKS: Final = 4
"""How often a limit is looked at before it is over."""
SHORTEST_LOOK_S: Final = 0.05
LONGEST_LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of connections; those of time are infinite where there is none.

    Args:
        max_url_bytes: The length of a URL.
        max_headers: How many headers a request may have.
        max_header_bytes: The size of all names and values together.
        header_timeout_s: The time until the first byte, and from there to the end of the headers.
        body_timeout_s: How long nothing may come of a body that is waited for.
        min_body_bytes_per_s: How fast a body has to come on average, after that time.
        write_timeout_s: How long nothing may be taken of an answer that waits.
        keep_alive_s: How long a connection may be idle between requests.
    """

    max_url_bytes: int
    max_headers: int
    max_header_bytes: int
    header_timeout_s: float
    body_timeout_s: float
    min_body_bytes_per_s: float
    write_timeout_s: float
    keep_alive_s: float

    @classmethod
    def of(cls, settings: Settings | None) -> Limits:
        """Return the limits of a project's settings; None: those where nothing is written."""
        server = Server() if settings is None else settings.section(Server)
        return cls(
            max_url_bytes=server.max_url_bytes,
            max_headers=server.max_headers,
            max_header_bytes=server.max_header_bytes,
            header_timeout_s=server.header_timeout_s or inf,
            body_timeout_s=server.body_timeout_s or inf,
            min_body_bytes_per_s=server.min_body_bytes_per_s,
            write_timeout_s=server.write_timeout_s or inf,
            keep_alive_s=server.keep_alive_s or inf,
        )

    @property
    def max_head_bytes(self) -> int:
        """What a request may take until its headers end, as it comes over the wire."""
        framing = FRAMING_BYTES * self.max_headers + REQUEST_LINE_BYTES
        return self.max_url_bytes + self.max_header_bytes + framing

    @property
    def look_every_s(self) -> float:
        """How often connections are looked at: a limit is late by as much."""
        times = self.header_timeout_s, self.body_timeout_s, self.write_timeout_s, self.keep_alive_s
        return min(max(min(times) / LOOKS, SHORTEST_LOOK_S), LONGEST_LOOK_S)

    def body_time_s(self, received_bytes: int) -> float:
        """Return how long a body may take of which so much has come, in seconds."""
        if not self.min_body_bytes_per_s:
            return inf
        return self.body_timeout_s + received_bytes / self.min_body_bytes_per_s
