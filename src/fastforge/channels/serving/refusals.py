"""Refusals: what a client is told of its request when something has gone wrong."""

from __future__ import annotations

import logging
from typing import Any, Final

from fastapi.exceptions import HTTPException

from ...exceptions import ForgeError
from ..errors import ChannelUnavailable

__all__ = ["refusal_of"]

logger = logging.getLogger("fastforge.channels")

FAILED: Final = 500
AWAY: Final = 503


def refusal_of(error: BaseException, what: str) -> dict[str, Any]:
    """Return the `code` and the `message` for an error, and its `status`; log what nobody foresaw.

    Args:
        error: What a method has raised, or what lies under it.
        what: What the client has asked for.
    """
    status = getattr(error, "status", FAILED)
    if isinstance(error, HTTPException):
        return {"code": "refused", "message": str(error.detail), "status": error.status_code}
    if isinstance(error, ChannelUnavailable):
        return {"code": "unavailable", "message": error.message}
    if isinstance(error, ForgeError) and status < FAILED:
        return {"code": "refused", "message": error.message, "status": status}
    if isinstance(error, ForgeError) and status == AWAY:
        logger.warning("a %s of a client was not done: %s", what, error)
        return {"code": "unavailable", "message": "something that it takes is away; try again"}
    logger.error("a %s of a client failed", what, exc_info=error)
    return {"code": "failed", "message": "it could not be done"}
