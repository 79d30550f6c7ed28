"""Letter: a message as it travels, with the envelope that servers go by."""

from __future__ import annotations

import email
import email.policy
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from ..._utils import calling_line, counted
from .addresses import Address, parse_address
from .errors import MessageError
from .headers import address_lines, check_line, text_lines
from .message import Message
from .settings import Mail

__all__ = ["Letter", "letter_of"]

_POLICY: Final = email.policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as it is sent, and as it waits as a job.

    Args:
        message_id: Its `Message-ID`, the same however often it is tried.
        sender: The address that the server is told.
        recipients: The addresses that the server is told, those of `bcc` among them.
        content: The whole of it, headers and all, in ASCII.
    """

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    content: str = field(repr=False)

    def parsed(self) -> EmailMessage:
        """Return it as the standard library reads it."""
        return email.message_from_string(self.content, EmailMessage, policy=email.policy.default)

    @property
    def subject(self) -> str:
        """Its subject."""
        return str(self.parsed()["Subject"])

    @property
    def text(self) -> str:
        """Its plain text; empty without one."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """Its HTML; empty without one."""
        return self._body("html")

    @property
    def attachments(self) -> dict[str, bytes]:
        """Its files, by their names."""
        return {
            str(part.get_filename()): part.get_payload(decode=True)  # type: ignore[misc]
            for part in self.parsed().iter_attachments()
        }

    def _body(self, kind: str) -> str:
        part = self.parsed().get_body((kind,))
        text = "" if part is None else str(part.get_content()).replace("\r\n", "\n")
        return text.removesuffix("\n")  # which the standard library adds

    def for_recipients(self, recipients: Iterable[str]) -> Letter:
        """Return the same letter for some of its recipients."""
        return replace(self, recipients=tuple(recipients))


def letter_of(message: Message, config: Mail) -> Letter:
    """Return a message as it is sent.

    Raises:
        MessageError: Nobody sends it, or it is too large, or has too many recipients.
    """
    sender = _sender(message, config)
    recipients = _recipients(message, config)
    message_id = f"<{uuid.uuid4().hex}@{sender.domain}>"
    content = b"".join((*_headers(message, config, sender, message_id), _body(message)))
    if len(content) > config.max_message_bytes:
        raise MessageError(
            f"the message has {len(content):,} bytes, and MAIL.max_message_bytes is"
            f" {config.max_message_bytes:,}",
            code="mail.E004",
            hint="send a link in place of the file; encoded, it is larger by a third",
            where=calling_line(),
        )
    return Letter(
        message_id=message_id,
        sender=sender.spec,
        recipients=recipients,
        content=content.decode("ascii"),
    )


def _sender(message: Message, config: Mail) -> Address:
    if message.from_address:
        return parse_address(message.from_address, "from_address")
    if config.from_address:
        return parse_address(config.from_address, "MAIL.from_address")
    raise MessageError(
        "nobody sends the message",
        code="mail.E003",
        hint="set MAIL.from_address, or give the message a from_address",
        where=calling_line(),
    )


def _recipients(message: Message, config: Mail) -> tuple[str, ...]:
    found = [each.spec for name in ("to", "cc", "bcc") for each in message.addresses(name)]
    unique = tuple(dict.fromkeys(found))
    if len(unique) > config.max_recipients:
        raise MessageError(
            f"the message has {counted(len(unique), 'recipient')}, and MAIL.max_recipients is"
            f" {config.max_recipients}",
            code="mail.E004",
            hint="send each of them a message of their own: none then sees the others",
            where=calling_line(),
        )
    return unique


def _headers(message: Message, config: Mail, sender: Address, message_id: str) -> Iterable[bytes]:
    subject = f"{config.subject_prefix}{message.subject}"
    check_line(subject, "the subject")
    yield address_lines("From", (sender,))
    yield address_lines("To", message.addresses("to"))
    yield address_lines("Cc", message.addresses("cc"))
    if reply_to := message.reply_to or config.reply_to:
        yield address_lines("Reply-To", (parse_address(reply_to, "reply_to"),))
    yield text_lines("Subject", subject, folds=True)
    yield text_lines("Date", format_datetime(datetime.now(UTC)))
    yield text_lines("Message-ID", message_id)
    for name, value in message.headers.items():
        yield text_lines(name, value)


def _body(message: Message) -> bytes:
    """Return text and HTML as alternatives, and the files behind them."""
    body = EmailMessage(policy=_POLICY)
    if message.text or not message.html:
        body.set_content(message.text)
        if message.html:
            body.add_alternative(message.html, subtype="html")
    else:
        body.set_content(message.html, subtype="html")
    for each in message.attachments:
        kind, _, subtype = each.content_type.partition("/")
        body.add_attachment(each.content, maintype=kind, subtype=subtype, filename=each.name)
    return body.as_bytes()
