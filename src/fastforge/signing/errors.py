"""What can go wrong with signatures.

ForgeError
└── SigningError
    └── BadSignature            a text was not signed here, or was changed since: 400
        └── SignatureExpired    it was, and its time is over: 400
"""

from __future__ import annotations

from typing import ClassVar

from ..exceptions import ForgeError

__all__ = ["BadSignature", "SignatureExpired", "SigningError"]


class SigningError(ForgeError):
    """Something about signatures cannot be done."""


class BadSignature(SigningError):
    """A text was not signed here for this purpose, or was changed since."""

    status: ClassVar[int] = 400


class SignatureExpired(BadSignature):
    """A text was signed here, and is too old."""
