"""The kinds of components that this app introduces."""

from __future__ import annotations

from typing import Final

from ...components import Kind
from .admission import LoginRule
from .guards import LoginGuard
from .identity.sources import CredentialSource
from .identity.verifier import TokenVerifier
from .listeners import PasswordListener
from .revokers import Revoker
from .rules import PasswordRule

__all__ = [
    "CREDENTIALS",
    "LOGIN_GUARDS",
    "LOGIN_RULES",
    "PASSWORD_LISTENERS",
    "PASSWORD_RULES",
    "REVOKERS",
    "TOKEN_VERIFIERS",
]

PASSWORD_RULES: Final[Kind[PasswordRule]] = Kind(
    name="password_rules",
    type=PasswordRule,
    module="password_rules",
    key=lambda rule: rule.name,
    home=lambda rule: rule.function,
)
TOKEN_VERIFIERS: Final[Kind[TokenVerifier]] = Kind(
    name="token_verifiers",
    type=TokenVerifier,  # type: ignore[type-abstract]
    module="token_verifiers",
    key=lambda verifier: verifier.name,
)
CREDENTIALS: Final[Kind[CredentialSource]] = Kind(
    name="credentials",
    type=CredentialSource,
    module="credentials",
    key=lambda source: source.name,
    home=lambda source: source.read,
)
LOGIN_RULES: Final[Kind[LoginRule]] = Kind(
    name="login_rules",
    type=LoginRule,
    module="login_rules",
    key=lambda rule: rule.name,
    home=lambda rule: rule.function,
)
LOGIN_GUARDS: Final[Kind[LoginGuard]] = Kind(
    name="login_guards",
    type=LoginGuard,
    module="login_guards",
    key=lambda guard: guard.name,
)
REVOKERS: Final[Kind[Revoker]] = Kind(
    name="revokers",
    type=Revoker,
    module="revokers",
    key=lambda revoker: revoker.name,
)
PASSWORD_LISTENERS: Final[Kind[PasswordListener]] = Kind(
    name="password_listeners",
    type=PasswordListener,
    module="password_listeners",
    key=lambda listener: listener.name,
    home=lambda listener: listener.function,
)
