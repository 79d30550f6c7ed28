"""Checks of ACCOUNTS: where the links in mails lead, and whom mails are from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from .....checks import Level, Message, check
from ....mail import Mail
from .settings import Accounts

if TYPE_CHECKING:
    from .....project import Project

__all__ = ["links_lead_to_pages", "mails_are_from_somebody"]

REGISTRATION: Final = "fastforge.contrib.auth.api.registration"


@check(tags={"auth", "security"}, deploy=True)
def links_lead_to_pages(project: Project) -> Iterator[Message]:
    """Warn of mails without a link, and of links that are read on the way."""
    config = project.settings.section(Accounts)
    registers = any(app.name == REGISTRATION for app in project.apps)
    wanted = ("reset_url", "verification_url", *(("registration_url",) if registers else ()))
    pages = {name: getattr(config, name) for name in wanted}
    missing = [name for name, url in pages.items() if not url]
    clear = [name for name, url in pages.items() if url.startswith("http://")]
    problems = [
        f"{' and '.join(names)} {problem}"
        for names, problem in (
            (missing, "not set: the mail has a code in place of a link"),
            (clear, "without https: others read the token on the way"),
        )
        if names
    ]
    if problems:
        yield Message(
            id="auth.W009",
            level=Level.WARNING,
            text=f"ACCOUNTS: {'; '.join(problems)}",
            hint="write the whole https address of the page, with {token} behind a #",
            where=project.settings.where("ACCOUNTS") or project.settings.where("INSTALLED_APPS"),
        )


@check(tags={"auth", "mail"})
def mails_are_from_somebody(project: Project) -> Iterator[Message]:
    """Find mails about accounts that nobody could send: they name no sender themselves."""
    settings = project.settings
    if not settings.section(Mail).from_address:
        yield Message(
            id="auth.W010",
            level=Level.WARNING,
            text="MAIL.from_address is not set: no mail about an account can be sent",
            hint='write MAIL = Mail(from_address="Shop <shop@example.org>")',
            where=settings.where("MAIL") or settings.where("INSTALLED_APPS"),
        )
