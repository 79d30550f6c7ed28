"""The setting PROMETHEUS."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import Field, field_validator

from ...conf import Section

__all__ = ["Prometheus"]

_LOCAL = ("localhost", "")


class Prometheus(Section, setting="PROMETHEUS"):
    """Where Prometheus finds the metrics.

    ```python
    PROMETHEUS = Prometheus(host=env("METRICS_HOST", default="127.0.0.1"))
    ```

    Attributes:
        host: The address of the page; `0.0.0.0` for every one of the machine, in a container.
        port: Its port, where servers are; the page is `/metrics`. 0: no page.
        worker_port: The same for `manage runworker`.
        token: What has to come as `Authorization: Bearer ...`; empty: nothing has to.
        directory: Where the processes of a server keep what they count: a folder that nobody
            else uses, relative to the project's root. None: one in the system's temporary folder.
        path: A path of the application itself that shows the page too; empty: none does.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65535)
    worker_port: int = Field(default=9465, ge=0, le=65535)
    token: str = ""
    directory: Path | None = None
    path: str = ""

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, path: str) -> str:
        if path and not path.startswith("/"):
            raise ValueError("it has to begin with /, as /internal/metrics does")
        return path

    @property
    def is_local(self) -> bool:
        """Whether nobody outside of this machine reaches the page."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host in _LOCAL
