"""Scheme: what the OpenAPI document says of the credential, so that its pages can send one."""

from __future__ import annotations

from typing import Any, Final

from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

__all__ = ["OPTIONAL_NAME", "SCHEME_NAME", "TokenScheme"]

SCHEME_NAME: Final = "token"
OPTIONAL_NAME: Final = "token or none"
"""FastAPI knows no credential that may be left out: in the document another one stands for it."""


class TokenScheme(SecurityBase):
    """The base of dependencies that want a credential."""

    model: Any = HTTPBearer()
    scheme_name: Any = SCHEME_NAME
