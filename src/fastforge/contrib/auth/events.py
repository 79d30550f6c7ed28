"""Events: the lines by which one sees afterwards who came in, who did not, and what was changed.

They name nobody by what was typed: a password is easily typed into the field of the login.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = [
    "API_KEY_CREATED",
    "API_KEY_REVOKED",
    "CREDENTIAL_REFUSED",
    "EMAIL_VERIFIED",
    "LOGIN",
    "LOGIN_FAILED",
    "PASSWORD_CHANGED",
    "PASSWORD_RESET",
    "PROOF_REFUSED",
    "REFRESH_REUSED",
    "TOKENS_REVOKED",
    "USER_CREATED",
    "AuditEvent",
    "Reason",
]

Reason: TypeAlias = Literal[
    "inactive", "no_password", "unreadable_hash", "unknown", "unusable_password", "wrong_password",
    "changed_meanwhile", "login_rule", "too_many_attempts",
    "expired", "forged", "used_or_void",
]  # fmt: skip

logger = logging.getLogger("fastforge.auth")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """Something that an audit asks for.

    Args:
        name: What its line is called.
        level: How serious it is.
        help: What it means.
    """

    name: str
    level: int
    help: str

    def tell(self, user_id: object = None, *, reason: Reason | None = None, rule: str = "") -> None:
        """Write the line.

        Args:
            user_id: Whom it is about, if that is known.
            reason: Why not.
            rule: By which rule, if one was the reason.
        """
        fields: dict[str, str] = {}
        if user_id is not None:
            fields["user_id"] = str(user_id)
        if reason is not None:
            fields["reason"] = reason
        if rule:
            fields["rule"] = rule
        logger.log(self.level, self.name, extra=fields)


CREDENTIAL_REFUSED: Final = AuditEvent(
    name="auth.credential_refused",
    level=logging.INFO,
    help="A credential of a known form was checked and is not good.",
)
LOGIN: Final = AuditEvent(
    name="auth.login", level=logging.INFO, help="A password was right; its user is logged in."
)
LOGIN_FAILED: Final = AuditEvent(
    name="auth.login_failed", level=logging.WARNING, help="Somebody could not log in."
)
PASSWORD_CHANGED: Final = AuditEvent(
    name="auth.password_changed", level=logging.INFO, help="A user was given another password."
)
PASSWORD_RESET: Final = AuditEvent(
    name="auth.password_reset",
    level=logging.INFO,
    help="A user was given another password by a link that was mailed.",
)
EMAIL_VERIFIED: Final = AuditEvent(
    name="auth.email_verified", level=logging.INFO, help="A user has proven the e-mail address."
)
PROOF_REFUSED: Final = AuditEvent(
    name="auth.proof_refused", level=logging.WARNING, help="A link of a mail was not good."
)
USER_CREATED: Final = AuditEvent(
    name="auth.user_created", level=logging.INFO, help="A user was made."
)
REFRESH_REUSED: Final = AuditEvent(
    name="auth.refresh_reused",
    level=logging.WARNING,
    help="A refresh token came a second time: somebody has a copy, and the login was ended.",
)
TOKENS_REVOKED: Final = AuditEvent(
    name="auth.tokens_revoked",
    level=logging.INFO,
    help="A login was ended, or all of a user's; without `user_id`, everybody's.",
)
API_KEY_CREATED: Final = AuditEvent(
    name="auth.api_key_created", level=logging.INFO, help="A user was given an API key."
)
API_KEY_REVOKED: Final = AuditEvent(
    name="auth.api_key_revoked", level=logging.INFO, help="An API key was revoked."
)
