"""Admission: what else has to hold of a user whose password was right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ...components.functions import refuse_unless_plain

if TYPE_CHECKING:
    from .model import AbstractUser

__all__ = ["LoginRule", "login_rule"]

Rule: TypeAlias = "Callable[[AbstractUser], bool]"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRule:
    """A declared rule.

    Args:
        name: Unique in the project; the function's name, and what the audit calls it.
        function: Whether a user may log in.
    """

    name: str
    function: Rule


def login_rule(function: Rule, /) -> LoginRule:
    """Declare what else has to hold of whoever logs in, in an app's `login_rules.py`.

    ```python
    @login_rule
    def has_paid(user: AbstractUser) -> bool:
        return user.paid_until > utcnow()
    ```

    Surprises: it is asked after the password alone, by `authenticate`; what was given to a user
    before counts on. Whoever is refused gets the same answer as for a wrong password.

    Args:
        function: A plain function of what is loaded of the user: true lets them in.

    Raises:
        ComponentError: It decorates no plain function.
    """
    refuse_unless_plain(
        function,
        decorator="@login_rule",
        code="auth.E051",
        hint="write `def`, which is given the user and returns whether they may log in",
    )
    return LoginRule(name=function.__name__, function=function)
