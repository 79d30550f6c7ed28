"""PyJWT with cryptography, or the line that installs them."""

from __future__ import annotations

from ...._utils import missing_extra

try:
    import cryptography  # noqa: F401
    from jwt import PyJWK, PyJWS
    from jwt.exceptions import PyJWTError
except ImportError as error:
    raise missing_extra("oidc", "cryptography") from error

__all__ = ["PyJWK", "PyJWS", "PyJWTError"]
