"""Texts: secrets in any text, found by the form that they have there.

Every search is linear in the length of the text: nothing here can be made slow by what a client
sends (`tests/redaction/test_effort.py` counts). A text without any hint of a secret costs about a
microsecond.
"""

from __future__ import annotations

import re

from . import credentials, faults, pairs, urls
from .names import MASK
from .rules import current

__all__ = ["redacted_text"]


def redacted_text(text: str) -> str:
    """Return a text without what has the form of a secret.

    JSON Web Tokens, passwords in URLs, what follows the names of secrets (`password=`,
    `"token": `, `?api_key=`, `Cookie: `), credentials after `Bearer` and `Basic`, private keys,
    values that databases and validation quote in their messages, and the secrets that the
    settings of this process know.

    Surprises: cut a text after this, not before: half a token has no form any more.

    >>> redacted_text("postgresql://shop:s3cret@db/shop?password=x, eyJhbGciOi.eyJzdWIiOi.c2")
    'postgresql://shop:***@db/shop?password=***, ***'

    Args:
        text: Any text.
    """
    rules = current()
    for secret in rules.known:
        if secret in text:
            text = text.replace(secret, MASK)
    for pattern in rules.patterns:
        text = pattern.sub(_masked, text)
    lowered = text.lower()
    has_name = rules.hints.search(lowered) is not None
    if "@" in text:
        text = urls.masked(text)
    if credentials.may_be_in(lowered) or has_name:
        text = credentials.masked(text, lowered)
    if faults.may_be_in(text):
        text = faults.masked(text)
    if has_name:
        text = pairs.masked(text, _lower(text), rules.hints)
    return text


def _lower(text: str) -> str:
    """Return a text in lower case, of the same length: there are letters of which one gives two."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(each.lower()[0] for each in text)


def _masked(match: re.Match[str]) -> str:
    if "secret" not in match.re.groupindex or match["secret"] is None:
        return MASK
    start, end = match.span("secret")
    offset = match.start()
    return f"{match[0][: start - offset]}{MASK}{match[0][end - offset :]}"
