"""Events: the lines by which one sees afterwards who came in, who did not, and what was changed.

They name nobody by what was typed: a password is easily typed into the field of the login.
"""

from __future__ import annotations

import logging
from typing import Final, Literal, TypeAlias

from ...observability.audit import AuditEvent

__all__ = [
    "API_KEY_CREATED",
    "API_KEY_REVOKED",
    "CREDENTIAL_REFUSED",
    "EMAIL_VERIFIED",
    "ISSUER_AWAY",
    "LOGIN",
    "LOGIN_FAILED",
    "PASSWORD_CHANGED",
    "PASSWORD_RESET",
    "PROOF_REFUSED",
    "REFRESH_REUSED",
    "TOKENS_REVOKED",
    "USER_CREATED",
    "AuthEvent",
    "Reason",
]

Reason: TypeAlias = Literal[
    "inactive", "no_password", "unreadable_hash", "unknown", "unusable_password", "wrong_password",
    "changed_meanwhile", "login_rule", "too_many_attempts",
    "expired", "forged", "used_or_void",
]  # fmt: skip


class AuthEvent(AuditEvent):
    """Something about users and what they are given that an audit asks for."""

    __slots__ = ()

    def tell(self, user_id: object = None, *, reason: Reason | None = None, rule: str = "") -> None:
        """Write the line.

        Args:
            user_id: Whom it is about, if that is known.
            reason: Why not.
            rule: By which rule, if one was the reason.
        """
        self.write(user_id, reason=reason, rule=rule)


CREDENTIAL_REFUSED: Final = AuthEvent(
    name="auth.credential_refused",
    level=logging.INFO,
    help="A credential of a known form was checked and is not good.",
)
LOGIN: Final = AuthEvent(
    name="auth.login", level=logging.INFO, help="A password was right; its user is logged in."
)
LOGIN_FAILED: Final = AuthEvent(
    name="auth.login_failed", level=logging.WARNING, help="Somebody could not log in."
)
PASSWORD_CHANGED: Final = AuthEvent(
    name="auth.password_changed", level=logging.INFO, help="A user was given another password."
)
PASSWORD_RESET: Final = AuthEvent(
    name="auth.password_reset",
    level=logging.INFO,
    help="A user was given another password by a link that was mailed.",
)
ISSUER_AWAY: Final = AuthEvent(
    name="auth.issuer_away",
    level=logging.WARNING,
    help="The keys of an issuer of others' tokens cannot be fetched; those from before hold a day.",
)
EMAIL_VERIFIED: Final = AuthEvent(
    name="auth.email_verified", level=logging.INFO, help="A user has proven the e-mail address."
)
PROOF_REFUSED: Final = AuthEvent(
    name="auth.proof_refused", level=logging.WARNING, help="A link of a mail was not good."
)
USER_CREATED: Final = AuthEvent(
    name="auth.user_created", level=logging.INFO, help="A user was made."
)
REFRESH_REUSED: Final = AuthEvent(
    name="auth.refresh_reused",
    level=logging.WARNING,
    help="A refresh token came a second time: somebody has a copy, and the login was ended.",
)
TOKENS_REVOKED: Final = AuthEvent(
    name="auth.tokens_revoked",
    level=logging.INFO,
    help="A login was ended, or all of a user's; without `user_id`, everybody's.",
)
API_KEY_CREATED: Final = AuthEvent(
    name="auth.api_key_created", level=logging.INFO, help="A user was given an API key."
)
API_KEY_REVOKED: Final = AuthEvent(
    name="auth.api_key_revoked", level=logging.INFO, help="An API key was revoked."
)
