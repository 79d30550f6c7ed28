"""Signing: what a project hands out and takes back later, and knows again as its own.

`Signer` is for values in links and cookies, `Keys` is what other parts sign with: one key for each
purpose, all of them from SECRET_KEY.
"""

from __future__ import annotations

from .clock import now_s
from .errors import BadSignature, SignatureExpired, SigningError
from .keys import Keys
from .signer import Signer

__all__ = ["BadSignature", "Keys", "SignatureExpired", "Signer", "SigningError", "now_s"]
