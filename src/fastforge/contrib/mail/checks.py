"""Checks of MAIL: what keeps mail from being sent, and what lets others read along."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from .choosing import fault_in
from .settings import Mail

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["mail_arrives", "mail_can_be_sent", "nobody_reads_the_password"]

_NOWHERE: Final = ("console", "file", "memory")


@check(tags={"mail", "settings"})
def mail_can_be_sent(project: Project) -> Iterator[Message]:
    """Find settings with which a process that sends mail does not start."""
    found = fault_in(project.registry, project.settings)
    if found is not None:
        yield Message(
            id="mail.E010",
            level=Level.ERROR,
            text=found.text,
            hint=found.hint,
            where=project.settings.where("MAIL"),
        )


@check(tags={"mail", "settings"}, deploy=True)
def mail_arrives(project: Project) -> Iterator[Message]:
    """Warn of a production whose mail nobody gets."""
    settings = project.settings
    backend = settings.section(Mail).backend_in(settings.environment)
    if settings.environment == "production" and backend in _NOWHERE:
        yield Message(
            id="mail.W010",
            level=Level.WARNING,
            text=f"MAIL.backend is {backend!r}: in production nobody gets any mail",
            hint="leave it out, which is smtp, and name the server",
            where=settings.where("MAIL"),
        )


@check(tags={"mail", "security", "settings"}, deploy=True)
def nobody_reads_the_password(project: Project) -> Iterator[Message]:
    """Warn of a password, and messages, that cross a network in the clear."""
    settings = project.settings
    config = settings.section(Mail)
    is_used = config.backend_in(settings.environment) == "smtp" and config.host
    if is_used and config.tls == "none" and not _is_here(config.host):
        what = "the password and all messages go" if config.password else "all messages go"
        yield Message(
            id="mail.W011",
            level=Level.WARNING,
            text=f"{what} to {config.target} in the clear",
            hint='set tls="starttls", or "implicit" where the server listens at port 465',
            where=settings.where("MAIL"),
        )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
