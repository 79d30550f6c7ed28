"""What can go wrong with users and passwords.

ForgeError
└── AuthError
    ├── PasswordRefused     a new password breaks rules: 422
    ├── LoginRefused        a login that is none: 422
    └── HashingBusy         too many wait for a hash already: 503, with Retry-After
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ...exceptions import ForgeError

if TYPE_CHECKING:
    from .rules import Weakness

__all__ = ["AuthError", "HashingBusy", "LoginRefused", "PasswordRefused", "refused"]


class AuthError(ForgeError):
    """Something about users cannot be done."""


class PasswordRefused(AuthError):
    """A new password breaks rules.

    Attributes:
        weaknesses: Each with a code and a message; none of them repeats the password.
    """

    status: ClassVar[int] = 422
    weaknesses: tuple[Weakness, ...] = ()


class LoginRefused(AuthError):
    """What shall be somebody's login or e-mail address is none."""

    status: ClassVar[int] = 422


class HashingBusy(AuthError):
    """As many wait for a hash as may. Nothing was hashed."""

    status: ClassVar[int] = 503
    retry_after_s: ClassVar[int] = 1


def refused(weaknesses: Sequence[Weakness]) -> PasswordRefused:
    """Return the error for a password with these weaknesses."""
    told = "; ".join(each.message for each in weaknesses)
    error = PasswordRefused(f"the password is refused: {told}", code="auth.E010")
    error.weaknesses = tuple(weaknesses)
    return error
