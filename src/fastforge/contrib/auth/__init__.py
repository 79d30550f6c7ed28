"""Users and their passwords.

Names are imported when they are used, so that reading the settings loads neither SQLAlchemy nor
pwdlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import AuthError as AuthError
    from .errors import HashingBusy as HashingBusy
    from .errors import PasswordRefused as PasswordRefused
    from .model import AbstractUser as AbstractUser
    from .model import Folded as Folded
    from .passwords import PasswordHashing as PasswordHashing
    from .resources import Passwords as Passwords
    from .rules import About as About
    from .rules import PasswordRule as PasswordRule
    from .rules import Weakness as Weakness
    from .rules import password_rule as password_rule
    from .settings import Auth as Auth
    from .users import authenticate as authenticate
    from .users import create_user as create_user
    from .users import find_user as find_user
    from .users import set_password as set_password
    from .users import user_model as user_model
    from .weaknesses import weaknesses_of as weaknesses_of

_LAZY = {
    "About": "rules",
    "AbstractUser": "model",
    "Auth": "settings",
    "AuthError": "errors",
    "Folded": "model",
    "HashingBusy": "errors",
    "PasswordHashing": "passwords",
    "PasswordRefused": "errors",
    "PasswordRule": "rules",
    "Passwords": "resources",
    "Weakness": "rules",
    "authenticate": "users",
    "create_user": "users",
    "find_user": "users",
    "password_rule": "rules",
    "set_password": "users",
    "user_model": "users",
    "weaknesses_of": "weaknesses",
}

__all__ = [
    "About",
    "AbstractUser",
    "Auth",
    "AuthError",
    "Folded",
    "HashingBusy",
    "PasswordHashing",
    "PasswordRefused",
    "PasswordRule",
    "Passwords",
    "Weakness",
    "authenticate",
    "create_user",
    "find_user",
    "password_rule",
    "set_password",
    "user_model",
    "weaknesses_of",
]


def __getattr__(name: str) -> object:
    from ..._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
