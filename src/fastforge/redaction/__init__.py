"""Redaction: what of a value or a text may be written down, wherever it comes from.

By the name that a value stands under, by the form that secrets have in texts, and by the secrets
that the settings of the project know. `docs/redaction.md` says what it finds and what it cannot.
"""

from __future__ import annotations

from .names import MASK, is_sensitive
from .rules import Redaction, redacting
from .texts import redacted_text
from .values import redacted

__all__ = ["MASK", "Redaction", "is_sensitive", "redacted", "redacted_text", "redacting"]
