"""What can go wrong with users and passwords.

ForgeError
└── AuthError
    ├── PasswordRefused     a new password breaks rules: 422
    ├── LoginRefused        a login that is none: 422
    ├── HashingBusy         too many wait for a hash already: 503, with Retry-After
    ├── KeyRefused          a name that no API key can have: 422
    ├── NotAuthenticated    there is no credential: 401, with WWW-Authenticate
    │   ├── LoginWrong      a login or a password is wrong: the same words for both
    │   └── InvalidToken    there is one, and it is not good: the same words, whatever the reason
    ├── NoLogin             a good one that is none of a login: 403
    ├── ScopesMissing       a good one that does not allow this: 403
    ├── VerifyingBusy       too many wait for their credential to be checked: 503
    ├── ProofRefused        a link of a mail is none, was used, or is too old: 400
    ├── PasswordWrong       the present password was asked for, and is another one: 403
    ├── TooManyAttempts     a guard of logins says so: 429, with Retry-After
    └── NoRequest           who asks was to be known where nobody asks
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ...exceptions import ForgeError
from ...lifecycle.container import container_here
from .settings import Auth

if TYPE_CHECKING:
    from .rules import Weakness

__all__ = [
    "AuthError",
    "HashingBusy",
    "InvalidToken",
    "KeyRefused",
    "LoginRefused",
    "LoginWrong",
    "NoLogin",
    "NoRequest",
    "NotAuthenticated",
    "PasswordRefused",
    "PasswordWrong",
    "ProofRefused",
    "ScopesMissing",
    "TooManyAttempts",
    "VerifyingBusy",
    "refused",
]


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


class ProofRefused(AuthError):
    """What a mail brought is no proof: it is none of ours, was used already, or is too old."""

    status: ClassVar[int] = 400


class PasswordWrong(AuthError):
    """The present password was asked for once more, and is another one."""

    status: ClassVar[int] = 403


class TooManyAttempts(AuthError):
    """Somebody has tried too often, or too much is tried at an account. Nothing was looked up.

    Attributes:
        retry_after_s: When to come again, in seconds.
    """

    status: ClassVar[int] = 429
    retry_after_s: int = 60

    @classmethod
    def after(cls, seconds: float) -> TooManyAttempts:
        """Return the error that a guard raises.

        Args:
            seconds: When to come again; it is told rounded up.
        """
        error = cls("too many attempts; come again later", code="auth.E050")
        error.retry_after_s = max(1, math.ceil(seconds))
        return error


class KeyRefused(AuthError):
    """An API key cannot be made so."""

    status: ClassVar[int] = 422


class HashingBusy(AuthError):
    """As many wait for a hash as may. Nothing was hashed."""

    status: ClassVar[int] = 503
    retry_after_s: ClassVar[int] = 1


class NotAuthenticated(AuthError):
    """A request has no credential, and is answered with 401."""

    status: ClassVar[int] = 401

    def __init__(self) -> None:
        super().__init__(
            "this needs a credential, and the request has none",
            code="auth.E016",
            hint="send the header `Authorization` with the scheme that WWW-Authenticate names",
        )

    @property
    def headers(self) -> dict[str, str]:
        """What the answer has besides: how to authenticate."""
        return {"WWW-Authenticate": _scheme()}


class InvalidToken(NotAuthenticated):
    """A credential is nobody's, has ended or was revoked. A client is told the same of all.

    Args:
        reason: Why, for the log alone.

    Attributes:
        reason: Why.
    """

    def __init__(self, reason: str) -> None:
        AuthError.__init__(
            self, "the credential is wrong, or not good any more", code="auth.E017", hint=reason
        )
        self.reason = reason

    @property
    def headers(self) -> dict[str, str]:
        """What the answer has besides, as RFC 6750 says."""
        return {"WWW-Authenticate": f'{_scheme()} error="invalid_token"'}


class LoginWrong(NotAuthenticated):
    """A login and a password are nobody's. A client is told the same, whatever the reason."""

    def __init__(self) -> None:
        AuthError.__init__(
            self,
            "the login or the password is wrong",
            code="auth.E057",
            hint="the line auth.login_failed of the log has the reason",
        )


class NoLogin(AuthError):
    """A credential is good, and is no login that could end or go on: an API key, say.

    Args:
        kind: What it is.
    """

    status: ClassVar[int] = 403

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"this is for tokens of a login, and the request has one of the kind {kind!r}",
            code="auth.E058",
            hint="log in; an API key is revoked by its id",
        )


class ScopesMissing(AuthError):
    """A credential is good and does not allow this.

    Args:
        missing: What it would have to allow; nothing where only a superuser may.
    """

    status: ClassVar[int] = 403

    def __init__(self, missing: Sequence[str] = ()) -> None:
        wanted = f"the scope {' '.join(missing)!r}" if missing else "a superuser"
        super().__init__(
            f"this needs {wanted}",
            code="auth.E018",
            hint="ask for a credential that has it, or give it to the user",
        )
        self.missing = tuple(missing)

    @property
    def headers(self) -> dict[str, str]:
        """What the answer has besides, as RFC 6750 says."""
        scopes = f', scope="{" ".join(self.missing)}"' if self.missing else ""
        return {"WWW-Authenticate": f'{_scheme()} error="insufficient_scope"{scopes}'}


class VerifyingBusy(AuthError):
    """As many credentials wait to be checked as may. Nothing was asked."""

    status: ClassVar[int] = 503
    retry_after_s: ClassVar[int] = 1


class NoRequest(AuthError):
    """Who asks was to be known where no request or socket is: in a job, a command, a service."""


def _scheme() -> str:
    container = container_here.get(None)
    return "Bearer" if container is None else container.settings.section(Auth).scheme


def refused(weaknesses: Sequence[Weakness]) -> PasswordRefused:
    """Return the error for a password with these weaknesses."""
    told = "; ".join(each.message for each in weaknesses)
    error = PasswordRefused(f"the password is refused: {told}", code="auth.E010")
    error.weaknesses = tuple(weaknesses)
    return error
