"""Sending: from an occasion to a message that is enqueued."""

from __future__ import annotations

from .....lifecycle import current_container
from ....mail.sender import MailSender
from ...model import AbstractUser
from ...settings import Auth
from .kinds import ACCOUNT_MAILS
from .letters import MailName, Occasion, Writer
from .settings import TOKEN, Accounts
from .texts import TEXTS

__all__ = ["send_account_mail"]


async def send_account_mail(
    mailer: MailSender,
    name: MailName,
    email: str,
    *,
    user: AbstractUser | None = None,
    token: str = "",
) -> None:
    """Enqueue one of the mails about accounts, as the project or we have written it.

    Args:
        mailer: What sends.
        name: Which one.
        email: Whom it goes to.
        user: Whose account it is about.
        token: What its bearer proves the address with.
    """
    settings = current_container().settings
    config, auth = settings.section(Accounts), settings.section(Auth)
    occasion = Occasion(
        email=email,
        user=user,
        token=token,
        link=_page(config, name).replace(TOKEN, token),
        ttl_s=auth.reset_ttl_s if name == "password_reset" else auth.verification_ttl_s,
        site_name=config.site_name,
    )
    await mailer.send(_writer(name)(occasion))


def _page(config: Accounts, name: MailName) -> str:
    pages: dict[MailName, str] = {
        "password_reset": config.reset_url,
        "registration": config.registration_url,
        "verification": config.verification_url,
    }
    return pages.get(name, "")


def _writer(name: MailName) -> Writer:
    declared = current_container().registry.values(ACCOUNT_MAILS)
    return next((mail.function for mail in declared if mail.name == name), TEXTS[name])
