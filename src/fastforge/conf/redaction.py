"""Redaction: what of a setting may be shown."""

from __future__ import annotations

from collections.abc import Iterable

from ..redaction import MASK, is_sensitive, redacted_text
from ..redaction.names import is_hidden

__all__ = ["MASK", "is_hidden", "is_secret_name", "masked"]


def is_secret_name(name: str) -> bool:
    """Return whether a setting or field of this name is never shown."""
    return is_sensitive(name)


def masked(text: str, secrets: Iterable[str]) -> str:
    """Mask the secrets that were read, the longest first, and what looks like a password."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return redacted_text(text)
