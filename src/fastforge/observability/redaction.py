"""Redaction: what of a value or a text may be written down, in the process of a project.

What finds the secrets lies in `fastforge.redaction`, below everything that writes.
"""

from __future__ import annotations

import re

from ..conf.redaction import secrets_of
from ..conf.settings import Settings
from ..redaction import MASK, Redaction, is_sensitive, redacted, redacted_text, redacting
from .settings import Logging

__all__ = [
    "MASK",
    "Redaction",
    "is_sensitive",
    "redacted",
    "redacted_text",
    "redacting",
    "redaction_of",
]


def redaction_of(settings: Settings) -> Redaction:
    """Return what a project masks beside what every process masks.

    The names and patterns of its section `LOGGING`, and the secrets that its settings know: what
    `env.secret` has read, what stands under the name of a secret, passwords in URLs.

    Args:
        settings: The project's.
    """
    logging = settings.section(Logging)
    return Redaction(
        names=logging.secret_names,
        patterns=tuple(map(re.compile, logging.secret_patterns)),
        shown=logging.shown_names,
        secrets=tuple(sorted(secrets_of(settings))),
    )
