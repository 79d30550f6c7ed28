"""Rules: what a new password must not be. Apps may bring more of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ...components.functions import refuse_unless_plain
from .hashing import LONGEST_BYTES
from .settings import Auth

__all__ = ["About", "PasswordRule", "Weakness", "password_rule", "unusable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """Why a password is refused.

    Args:
        code: The name of the rule.
        message: What is said to whoever chose it, without the password itself.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a rule may know besides the password.

    Args:
        config: AUTH.
        words: What others know or may guess: the login, the e-mail address.
    """

    config: Auth
    words: Sequence[str] = ()


Rule: TypeAlias = Callable[[str, About], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRule:
    """A declared rule.

    Args:
        name: Unique in the project; the function's name, and the code of what it finds.
        function: Returns what is wrong with a password, or None.
    """

    name: str
    function: Rule


def password_rule(function: Rule, /) -> PasswordRule:
    """Declare a rule for new passwords, in an app's `password_rules.py`.

    ```python
    @password_rule
    def password_names_us(password: str, about: About) -> str | None:
        return "it names the shop" if "shop" in password.lower() else None
    ```

    Args:
        function: A plain function: what it returns is said to whoever chose the password. None or
            an empty text: nothing is wrong.

    Raises:
        ComponentError: It decorates no plain function.
    """
    refuse_unless_plain(
        function,
        decorator="@password_rule",
        code="auth.E013",
        hint="write `def`, with the password and what is known besides",
    )
    return PasswordRule(name=function.__name__, function=function)


def unusable() -> Weakness:
    """Return what is wrong with what is no password at all."""
    message = f"it is empty, longer than {LONGEST_BYTES:,} bytes, or no text"
    return Weakness(code="password_unusable", message=message)
