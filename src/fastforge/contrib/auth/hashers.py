"""Hashers that read what other systems have written, so that their users need no new passwords."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from typing import Final

from .library import HasherProtocol

__all__ = ["DjangoPbkdf2"]

_FORM: Final = re.compile(r"pbkdf2_sha256\$(?P<rounds>\d{1,8})\$(?P<salt>[^$]+)\$(?P<digest>[^$]+)")
_DEFAULT_ROUNDS: Final = 1_000_000


class DjangoPbkdf2(HasherProtocol):
    """Reads Django's default form, `pbkdf2_sha256$...`.

    ```python
    AUTH = Auth(old_hashers=["fastforge.contrib.auth.hashers.DjangoPbkdf2"])
    ```
    """

    @classmethod
    def identify(cls, hash: str | bytes) -> bool:
        """Return whether a hash has this form."""
        return _FORM.fullmatch(_text(hash)) is not None

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Make such a hash: for tests, and for systems that still read it."""
        shown = base64.b64encode(salt or os.urandom(16)).decode().rstrip("=")
        digest = _digest(password, shown, _DEFAULT_ROUNDS)
        return f"pbkdf2_sha256${_DEFAULT_ROUNDS}${shown}${digest}"

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        """Return whether a password is the one of a hash."""
        parts = _FORM.fullmatch(_text(hash))
        if parts is None:
            return False
        digest = _digest(password, parts["salt"], int(parts["rounds"]))
        return hmac.compare_digest(digest.encode(), parts["digest"].encode())

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        """Return that it does: argon2id is what is kept."""
        return True


def _digest(password: str | bytes, salt: str, rounds: int) -> str:
    content = password.encode() if isinstance(password, str) else password
    digest = hashlib.pbkdf2_hmac("sha256", content, salt.encode(), rounds)
    return base64.b64encode(digest).decode()


def _text(hash: str | bytes) -> str:
    return hash if isinstance(hash, str) else hash.decode(errors="replace")
