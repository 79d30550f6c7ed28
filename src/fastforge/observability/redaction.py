"""Redaction: what of a value or a text may be written down.

It lies in `fastforge.redaction`, below everything that writes; this is its name for those who read
about observability.
"""

from __future__ import annotations

from ..redaction import MASK, Redaction, is_sensitive, redacted, redacted_text, redacting

__all__ = ["MASK", "Redaction", "is_sensitive", "redacted", "redacted_text", "redacting"]
