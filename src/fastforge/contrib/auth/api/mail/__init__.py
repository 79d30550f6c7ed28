"""What is proven by mail: a lost password replaced, an address verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .asking import ask_for_password_reset as ask_for_password_reset
    from .asking import ask_for_verification as ask_for_verification
    from .letters import AccountMail as AccountMail
    from .letters import Occasion as Occasion
    from .letters import account_mail as account_mail
    from .settings import Accounts as Accounts

_LAZY = {
    "AccountMail": "letters",
    "Accounts": "settings",
    "Occasion": "letters",
    "account_mail": "letters",
    "ask_for_password_reset": "asking",
    "ask_for_verification": "asking",
}

__all__ = [
    "AccountMail",
    "Accounts",
    "Occasion",
    "account_mail",
    "ask_for_password_reset",
    "ask_for_verification",
]


def __getattr__(name: str) -> object:
    from ....._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
