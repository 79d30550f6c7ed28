"""Letters: what the mails about accounts say, and how a project says it otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .....components.functions import refuse_unless_plain
from ....mail import Message
from ...model import AbstractUser

__all__ = ["AccountMail", "MailName", "Occasion", "account_mail"]

MailName: TypeAlias = Literal[
    "password_reset", "password_changed", "verification", "registration", "registered_already"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a mail about an account may know.

    Args:
        email: Whom it goes to.
        user: Whose account it is; None where there is none yet.
        token: What the bearer proves the address with; empty where nothing is to be proven.
        link: The page of ACCOUNTS with the token; empty where none is set.
        ttl_s: How long the token is good.
        site_name: What the site is called; may be empty.
    """

    email: str
    user: AbstractUser | None = None
    token: str = field(default="", repr=False)
    link: str = field(default="", repr=False)
    ttl_s: float = 0
    site_name: str = ""


Writer: TypeAlias = Callable[[Occasion], Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMail:
    """A declared mail.

    Args:
        name: Which of them it is.
        function: Writes it.
    """

    name: MailName
    function: Writer


def account_mail(name: MailName) -> Callable[[Writer], AccountMail]:
    """Declare what one of the mails about accounts says, in an app's `account_mails.py`.

    ```python
    @account_mail("password_reset")
    def reset(occasion: Occasion) -> Message:
        return Message(to=occasion.email, subject="Neues Passwort", text=occasion.link)
    ```

    Args:
        name: Which one: `password_reset`, `password_changed`, `verification`, `registration`, or
            `registered_already`, for somebody who registers once more.

    Raises:
        ComponentError: It decorates no plain function.
    """

    def declare(function: Writer) -> AccountMail:
        refuse_unless_plain(
            function,
            decorator="@account_mail",
            code="auth.E056",
            hint="write `def`, which is given the occasion and returns a Message",
        )
        return AccountMail(name=name, function=function)

    return declare
