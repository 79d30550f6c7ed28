"""The kind of components that this app introduces: what its mails say."""

from __future__ import annotations

from typing import Final

from .....components import Kind
from .letters import AccountMail

__all__ = ["ACCOUNT_MAILS"]

ACCOUNT_MAILS: Final[Kind[AccountMail]] = Kind(
    name="account_mails",
    type=AccountMail,
    module="account_mails",
    key=lambda mail: mail.name,
    home=lambda mail: mail.function,
)
