"""Orders: what a supervisor and its child say to each other."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

__all__ = ["GO", "Orders"]

GO: Final = b"g"
"""What the supervisor writes when the application may start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the supervisor wants of its child: one argument on the command line.

    Args:
        application: `package.module:attribute`; else it is found beside the settings.
        settings_module: The dotted name of the settings.
        root: The folder of `pyproject.toml`.
        import_folder: The folder to import from.
        sock: The number of the socket.
        control: The number of a pipe's reading end: GO lets the application start, and its end
            means that the supervisor is gone.
        report: The number of a pipe's writing end: a line says how the start went.
        graceful_s: How long requests in flight may go on, in seconds.
        url: The address, for the banner.
        environment: The project's environment, for the banner.
        is_first: Whether this is the first child that serves, and so shows the banner.
    """

    application: str
    settings_module: str
    root: str
    import_folder: str
    sock: int
    control: int
    report: int
    graceful_s: float
    url: str = ""
    environment: str = ""
    is_first: bool = True

    def to_argument(self) -> str:
        """Return it as one word."""
        return json.dumps(asdict(self))

    @classmethod
    def from_argument(cls, text: str) -> Orders:
        """Return what `to_argument` has written."""
        return cls(**json.loads(text))
