"""Choosing: the backend that MAIL names, and what keeps it from delivering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..._modules import find_module
from ..._utils import did_you_mean, missing_extra
from ...components import Registry
from ...conf import Settings
from ...exceptions import StartError
from .addresses import parse_address
from .backend import MailBackend
from .errors import MessageError
from .kinds import MAIL_BACKENDS
from .settings import Mail

__all__ = ["Fault", "chosen_backend", "fault_in"]

EXTRA: Final = "mail"
PACKAGE: Final = "aiosmtplib"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why nothing can be sent.

    Args:
        text: What is wrong.
        hint: What to do.
    """

    text: str
    hint: str


def chosen_backend(registry: Registry, settings: Settings) -> MailBackend:
    """Return the backend that MAIL names, or the environment.

    Raises:
        StartError: There is none of that name, or what it needs is not written.
    """
    found = fault_in(registry, settings)
    if found is not None:
        raise StartError(
            found.text, code="mail.E008", hint=found.hint, where=settings.where("MAIL")
        )
    name = settings.section(Mail).backend_in(settings.environment)
    return next(each for each in registry.values(MAIL_BACKENDS) if each.name == name)


def fault_in(registry: Registry, settings: Settings) -> Fault | None:
    """Return why nothing can be sent with these settings; None when it can."""
    config = settings.section(Mail)
    name = config.backend_in(settings.environment)
    known = [each.name for each in registry.values(MAIL_BACKENDS)]
    if name not in known:
        return Fault(
            text=f"MAIL.backend is {name!r}, which no installed app declares",
            hint=did_you_mean(name, known) or f"there are {', '.join(sorted(known))}",
        )
    smtp_fault = _fault_of_smtp(config) if name == "smtp" else None
    return smtp_fault or _wrong_address(config)


def _fault_of_smtp(config: Mail) -> Fault | None:
    if not config.host:
        return Fault(
            text="mail is to be sent by SMTP, and MAIL.host names no server",
            hint='set MAIL = Mail(host=..., from_address=...), or backend="console" to see it only',
        )
    if not config.from_address:
        return Fault(
            text="mail is to be sent by SMTP, and MAIL.from_address does not say from whom",
            hint='set it: from_address="Shop <shop@example.org>"',
        )
    if find_module(PACKAGE) is None:
        missing = missing_extra(EXTRA, PACKAGE)
        return Fault(text=f"mail is to be sent by SMTP, and {missing.message}", hint=missing.hint)
    return None


def _wrong_address(config: Mail) -> Fault | None:
    for field in ("from_address", "reply_to"):
        try:
            if value := getattr(config, field):
                parse_address(value, f"MAIL.{field}")
        except MessageError as error:
            return Fault(text=error.message, hint=error.hint)
    return None
