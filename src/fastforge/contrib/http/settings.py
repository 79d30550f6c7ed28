"""The setting HTTP."""

from __future__ import annotations

from pydantic import Field

from ...conf import Section

__all__ = ["Http"]


class Http(Section, setting="HTTP"):
    """The HTTP client that a process shares.

    ```python
    HTTP = Http(timeout_s=5)
    ```

    Attributes:
        timeout_s: How long one read, one write or the wait for a free connection may take, in
            seconds.
        connect_timeout_s: How long making a connection may take, in seconds.
        max_connections: How many connections a process has at most.
    """

    timeout_s: float = Field(default=10, gt=0)
    connect_timeout_s: float = Field(default=2, gt=0)
    max_connections: int = Field(default=100, ge=1)

    def most_connections(self, environment: str) -> int:
        """Return the size of the pool."""
        return self.max_connections
