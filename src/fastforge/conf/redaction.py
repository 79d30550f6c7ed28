"""Redaction: what of a setting may be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from .._utils import redact

__all__ = ["MASK", "is_hidden", "is_secret_name", "masked"]

MASK: Final = "***"
_SECRET_NAME: Final = re.compile(
    r"secret|password|passwd|token|api_?key|private|credential", re.IGNORECASE
)


def is_secret_name(name: str) -> bool:
    """Return whether a setting or field of this name is never shown."""
    return _SECRET_NAME.search(name) is not None


def is_hidden(name: str, value: object) -> bool:
    """Return whether the value of a setting or field is never shown: a yes or no always is."""
    return value is not None and not isinstance(value, bool) and is_secret_name(name)


def masked(text: str, secrets: Iterable[str]) -> str:
    """Mask the secrets that were read, the longest first, and what looks like a password."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return redact(text)
