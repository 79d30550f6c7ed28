"""Users, their passwords, and who asks.

Names are imported when they are used, so that reading the settings loads neither SQLAlchemy nor
pwdlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .admission import LoginRule as LoginRule
    from .admission import login_rule as login_rule
    from .attempts import attempt as attempt
    from .changing import change_password as change_password
    from .errors import AuthError as AuthError
    from .errors import HashingBusy as HashingBusy
    from .errors import InvalidToken as InvalidToken
    from .errors import KeyRefused as KeyRefused
    from .errors import NotAuthenticated as NotAuthenticated
    from .errors import PasswordRefused as PasswordRefused
    from .errors import PasswordWrong as PasswordWrong
    from .errors import ProofRefused as ProofRefused
    from .errors import ScopesMissing as ScopesMissing
    from .errors import TooManyAttempts as TooManyAttempts
    from .errors import VerifyingBusy as VerifyingBusy
    from .guards import Attempt as Attempt
    from .guards import LoginGuard as LoginGuard
    from .identity.dependencies import CurrentIdentity as CurrentIdentity
    from .identity.dependencies import CurrentUser as CurrentUser
    from .identity.dependencies import OptionalIdentity as OptionalIdentity
    from .identity.dependencies import OptionalUser as OptionalUser
    from .identity.dependencies import identity_here as identity_here
    from .identity.dependencies import on_forgotten as on_forgotten
    from .identity.dependencies import requires as requires
    from .identity.dependencies import requires_superuser as requires_superuser
    from .identity.forgetting import forget_everybody as forget_everybody
    from .identity.forgetting import forget_token as forget_token
    from .identity.forgetting import forget_user as forget_user
    from .identity.principal import Identity as Identity
    from .identity.sources import CredentialSource as CredentialSource
    from .identity.sources import credential_source as credential_source
    from .identity.verifier import TokenVerifier as TokenVerifier
    from .listeners import PasswordListener as PasswordListener
    from .listeners import password_listener as password_listener
    from .login import authenticate as authenticate
    from .model import AbstractUser as AbstractUser
    from .model import Folded as Folded
    from .models import ApiKey as ApiKey
    from .models import TokenFamily as TokenFamily
    from .passwords import PasswordHashing as PasswordHashing
    from .proofs.resetting import password_reset_token as password_reset_token
    from .proofs.resetting import reset_password as reset_password
    from .proofs.verifying import email_verification_token as email_verification_token
    from .proofs.verifying import verify_email as verify_email
    from .resources import Passwords as Passwords
    from .revokers import Revoker as Revoker
    from .rules import About as About
    from .rules import PasswordRule as PasswordRule
    from .rules import Weakness as Weakness
    from .rules import password_rule as password_rule
    from .settings import Auth as Auth
    from .tokens.api_keys import NewApiKey as NewApiKey
    from .tokens.api_keys import create_api_key as create_api_key
    from .tokens.api_keys import revoke_api_key as revoke_api_key
    from .tokens.issuing import issue as issue
    from .tokens.issuing import refresh as refresh
    from .tokens.pairs import TokenPair as TokenPair
    from .tokens.revoking import revoke as revoke
    from .tokens.revoking import revoke_everybody as revoke_everybody
    from .tokens.revoking import revoke_user as revoke_user
    from .users import create_user as create_user
    from .users import find_user as find_user
    from .users import set_password as set_password
    from .users import user_model as user_model
    from .weaknesses import weaknesses_of as weaknesses_of

_LAZY = {
    "About": "rules",
    "AbstractUser": "model",
    "ApiKey": "models",
    "Attempt": "guards",
    "Auth": "settings",
    "AuthError": "errors",
    "CredentialSource": "identity.sources",
    "CurrentIdentity": "identity.dependencies",
    "CurrentUser": "identity.dependencies",
    "Folded": "model",
    "HashingBusy": "errors",
    "Identity": "identity.principal",
    "InvalidToken": "errors",
    "KeyRefused": "errors",
    "LoginGuard": "guards",
    "LoginRule": "admission",
    "NewApiKey": "tokens.api_keys",
    "NotAuthenticated": "errors",
    "OptionalIdentity": "identity.dependencies",
    "OptionalUser": "identity.dependencies",
    "PasswordHashing": "passwords",
    "PasswordListener": "listeners",
    "PasswordRefused": "errors",
    "PasswordRule": "rules",
    "PasswordWrong": "errors",
    "Passwords": "resources",
    "ProofRefused": "errors",
    "Revoker": "revokers",
    "ScopesMissing": "errors",
    "TokenFamily": "models",
    "TokenPair": "tokens.pairs",
    "TokenVerifier": "identity.verifier",
    "TooManyAttempts": "errors",
    "VerifyingBusy": "errors",
    "Weakness": "rules",
    "attempt": "attempts",
    "authenticate": "login",
    "change_password": "changing",
    "create_api_key": "tokens.api_keys",
    "create_user": "users",
    "credential_source": "identity.sources",
    "email_verification_token": "proofs.verifying",
    "find_user": "users",
    "forget_everybody": "identity.forgetting",
    "forget_token": "identity.forgetting",
    "forget_user": "identity.forgetting",
    "identity_here": "identity.dependencies",
    "issue": "tokens.issuing",
    "login_rule": "admission",
    "on_forgotten": "identity.dependencies",
    "password_listener": "listeners",
    "password_reset_token": "proofs.resetting",
    "password_rule": "rules",
    "refresh": "tokens.issuing",
    "requires": "identity.dependencies",
    "requires_superuser": "identity.dependencies",
    "reset_password": "proofs.resetting",
    "revoke": "tokens.revoking",
    "revoke_api_key": "tokens.api_keys",
    "revoke_everybody": "tokens.revoking",
    "revoke_user": "tokens.revoking",
    "set_password": "users",
    "user_model": "users",
    "verify_email": "proofs.verifying",
    "weaknesses_of": "weaknesses",
}

__all__ = [
    "About",
    "AbstractUser",
    "ApiKey",
    "Attempt",
    "Auth",
    "AuthError",
    "CredentialSource",
    "CurrentIdentity",
    "CurrentUser",
    "Folded",
    "HashingBusy",
    "Identity",
    "InvalidToken",
    "KeyRefused",
    "LoginGuard",
    "LoginRule",
    "NewApiKey",
    "NotAuthenticated",
    "OptionalIdentity",
    "OptionalUser",
    "PasswordHashing",
    "PasswordListener",
    "PasswordRefused",
    "PasswordRule",
    "PasswordWrong",
    "Passwords",
    "ProofRefused",
    "Revoker",
    "ScopesMissing",
    "TokenFamily",
    "TokenPair",
    "TokenVerifier",
    "TooManyAttempts",
    "VerifyingBusy",
    "Weakness",
    "attempt",
    "authenticate",
    "change_password",
    "create_api_key",
    "create_user",
    "credential_source",
    "email_verification_token",
    "find_user",
    "forget_everybody",
    "forget_token",
    "forget_user",
    "identity_here",
    "issue",
    "login_rule",
    "on_forgotten",
    "password_listener",
    "password_reset_token",
    "password_rule",
    "refresh",
    "requires",
    "requires_superuser",
    "reset_password",
    "revoke",
    "revoke_api_key",
    "revoke_everybody",
    "revoke_user",
    "set_password",
    "user_model",
    "verify_email",
    "weaknesses_of",
]


def __getattr__(name: str) -> object:
    from ..._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
