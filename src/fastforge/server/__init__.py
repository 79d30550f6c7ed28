"""The server: listens first, then loads and serves; starts again when a file changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .gunicorn.logs import Logger as Logger
    from .gunicorn.worker import Worker as Worker

_LAZY = {"Logger": "gunicorn.logs", "Worker": "gunicorn.worker"}

__all__ = ["Logger", "Worker"]


def __getattr__(name: str) -> object:
    from .._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
