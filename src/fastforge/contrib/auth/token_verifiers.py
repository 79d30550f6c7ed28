"""What knows our own tokens."""

from __future__ import annotations

from .tokens.verifiers import ApiKeys, JwtTokens, OpaqueTokens

__all__ = ["API_KEYS", "JWT", "OPAQUE"]

OPAQUE = OpaqueTokens()
JWT = JwtTokens()
API_KEYS = ApiKeys()
