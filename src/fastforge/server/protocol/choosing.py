"""Choosing: our protocol, where the installed uvicorn is one that it knows."""

from __future__ import annotations

import asyncio
import logging

import uvicorn

from ...conf import Settings
from .private import missing_names

__all__ = ["protocol_of"]

logger = logging.getLogger("fastforge.server")


def protocol_of(settings: Settings | None = None) -> type[asyncio.Protocol]:
    """Return what `uvicorn.Config(http=...)` speaks HTTP with: ours, with the limits of `SERVER`.

    ```python
    config = uvicorn.Config(app, http=protocol_of())
    ```

    Surprises: with a uvicorn that has not the names which ours is built on, it is uvicorn's own,
    without any limit, and a warning says so.

    Args:
        settings: Whose limits; by default those of the project that the server runs, and where it
            runs none, those that hold where nothing is written.
    """
    missing = missing_names()
    if missing:
        logger.warning(
            "uvicorn %s is not known here (no %s): no limit of SERVER holds for slow clients",
            uvicorn.__version__,
            ", ".join(missing),
        )
        from uvicorn.protocols.http.auto import AutoHTTPProtocol

        return AutoHTTPProtocol
    from .connection import Connection

    if settings is None:
        return Connection

    class ConnectionOfSettings(Connection):
        settings_given = settings

    return ConnectionOfSettings
