"""Failures: what an error of SMTP means for the message, and what may be told of it."""

from __future__ import annotations

import errno
import re
import ssl
from typing import Final

from ...._utils import first_line, printable, redact, told
from ..errors import MailError, MailRefused, MailServerAway, MailUnavailable
from ..settings import Mail
from .library import smtp

__all__ = ["failure_of", "is_for_good", "unmailed"]

_ADDRESS: Final = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_FOR_GOOD: Final = 500
_LONGEST: Final = 200


def is_for_good(code: int) -> bool:
    """Return whether an answer would be the same later."""
    return code >= _FOR_GOOD


def unmailed(text: str, config: Mail) -> str:
    """Return what a server says in one line, without the addresses that it repeats."""
    line = printable(first_line(redact(text)))[:_LONGEST]
    return line if config.log_addresses else _ADDRESS.sub("***", line)


def failure_of(error: Exception, config: Mail) -> MailError:
    """Return an error of a delivery as ours.

    A refusal counts as one for good where it is about the message. Of a login, a greeting or a
    missing STARTTLS it says that the settings or the server are wrong: messages wait until
    somebody has mended that.
    """
    if isinstance(error, smtp.SMTPRecipientsRefused):
        answers = error.recipients
        first = answers[0]
        # One that may be taken later is reason enough to come again.
        for_good = all(is_for_good(each.code) for each in answers)
        return _answered(first.code, first.message, config, for_good=for_good)
    if isinstance(error, smtp.SMTPSenderRefused | smtp.SMTPDataError):
        return _answered(error.code, error.message, config, for_good=is_for_good(error.code))
    if isinstance(error, smtp.SMTPAuthenticationError):
        return _away(
            f"{config.target} refuses the login: {error.code} {unmailed(error.message, config)}",
            "check MAIL.username and MAIL.password",
        )
    if isinstance(error, smtp.SMTPResponseException):
        said = f"{error.code} {unmailed(error.message, config)}"
        return _away(f"{config.target} lets nobody in: {said}", "ask whoever runs the server")
    return _unreached(error, config)


def _answered(code: int, text: str, config: Mail, *, for_good: bool) -> MailError:
    said = f"{code} {unmailed(text, config)}"
    if for_good:
        return MailRefused(
            f"{config.target} refuses the message: {said}",
            code="mail.E005",
            hint="it is not tried again; see what the server says",
        )
    return MailUnavailable(
        f"{config.target} cannot take the message now: {said}",
        code="mail.E006",
        hint="it may later",
    )


def _unreached(error: Exception, config: Mail) -> MailError:
    cause = error.__cause__ or error.__context__ or error
    if isinstance(error, ssl.SSLError) or isinstance(cause, ssl.SSLError):
        why, hint = told(cause), "set MAIL.ca_file to who has signed its certificate"
    elif isinstance(error, TimeoutError):
        why, hint = "no answer in time", "see what keeps it busy, or raise MAIL.timeout_s"
    elif f"[Errno {errno.ECONNREFUSED}]" in str(cause):  # a name may have several addresses
        why, hint = "nothing listens there", "check MAIL.host and MAIL.port"
    else:
        why, hint = unmailed(told(error), config), "check MAIL.host, MAIL.port and MAIL.tls"
    return _away(f"{config.target} cannot be reached: {why}", hint)


def _away(message: str, hint: str) -> MailServerAway:
    return MailServerAway(message, code="mail.E007", hint=hint)
