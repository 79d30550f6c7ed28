"""PyJWT, or the line that installs it."""

from __future__ import annotations

from ..._utils import missing_extra

try:
    from jwt import PyJWS
    from jwt.exceptions import PyJWTError
except ImportError as error:
    raise missing_extra("auth", "PyJWT") from error

__all__ = ["PyJWS", "PyJWTError"]
