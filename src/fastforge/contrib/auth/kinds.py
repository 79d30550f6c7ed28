"""The kind of components that this app introduces."""

from __future__ import annotations

from typing import Final

from ...components import Kind
from .rules import PasswordRule

__all__ = ["PASSWORD_RULES"]

PASSWORD_RULES: Final[Kind[PasswordRule]] = Kind(
    name="password_rules",
    type=PasswordRule,
    module="password_rules",
    key=lambda rule: rule.name,
    home=lambda rule: rule.function,
)
