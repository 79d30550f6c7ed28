"""What can go wrong where somebody else knows the tokens.

AuthError
├── IssuerRefused       a verifier is declared so that it would not be safe
└── IssuerAway          the other side is away, or answers with nothing that can be used: 503
"""

from __future__ import annotations

from typing import ClassVar

from ..errors import AuthError

__all__ = ["IssuerAway", "IssuerRefused"]


class IssuerRefused(AuthError):
    """A verifier cannot be declared so."""


class IssuerAway(AuthError):
    """Nobody can say at present whose a token is."""

    status: ClassVar[int] = 503
    retry_after_s: ClassVar[int] = 5
