"""Message: what somebody wants to be sent, checked when it is made."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..._utils import calling_line
from .addresses import Address, parse_address
from .errors import MessageError
from .headers import check_headers, check_line

__all__ = ["Attachment", "Message"]

_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_ANYTHING: Final = "application/octet-stream"
_UNWRITABLE: Final = re.compile(r"[\x00\ud800-\udfff]")
_NESTED: Final = ("multipart/", "message/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that a message brings along.

    ```python
    Attachment(name="receipt.pdf", content=pdf)
    ```

    Args:
        name: What it is called, without folders.
        content: Its bytes.
        content_type: What it is; by its name unless given.

    Raises:
        MessageError: Its name or its type is none.
    """

    name: str
    content: bytes = field(repr=False)
    content_type: str = ""

    def __post_init__(self) -> None:
        check_line(self.name, "the name of an attachment")
        if not self.name or "/" in self.name or "\\" in self.name:
            raise _wrong(f"{self.name!r} is no name of an attachment", "give it without folders")
        kind = self.content_type or mimetypes.guess_type(self.name)[0] or _ANYTHING
        if not _TYPE.fullmatch(kind) or kind.lower().startswith(_NESTED):
            raise _wrong(
                f"content_type={kind!r} is no type of a file", 'write it as in "application/pdf"'
            )
        object.__setattr__(self, "content_type", kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message.

    ```python
    Message(to="Ann <ann@example.org>", subject="Your order", text="It is on its way.")
    ```

    Surprises: it is checked here, so that a wrong address is an error where it is given, and not
    a job that fails later. A text from outside may stand in any field: one with a line break in
    a header is refused, and an address is always one.

    Args:
        to: Who gets it: an address or several, each for itself.
        subject: What it is about.
        text: Its plain text.
        html: The same as HTML; readers choose.
        cc: Who gets a copy.
        bcc: Who gets one and is not named in it.
        from_address: Who sends it; `MAIL.from_address` unless given.
        reply_to: Where answers go; `MAIL.reply_to` unless given.
        headers: More headers, such as `List-Unsubscribe`.
        attachments: Files.

    Raises:
        MessageError: An address is none, a header is not one line or has a field of its own, there
            is neither text nor HTML, or nobody gets it.
    """

    to: str | Sequence[str] = ()
    subject: str
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    cc: str | Sequence[str] = ()
    bcc: str | Sequence[str] = ()
    from_address: str = ""
    reply_to: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()

    def __post_init__(self) -> None:
        for name in ("to", "cc", "bcc"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))
        object.__setattr__(self, "attachments", tuple(self.attachments))
        object.__setattr__(self, "headers", dict(self.headers))
        check_line(self.subject, "the subject")
        check_headers(self.headers)
        for name in ("from_address", "reply_to"):
            if getattr(self, name):
                parse_address(getattr(self, name), name)
        if not any(map(self.addresses, ("to", "cc", "bcc"))):
            raise _wrong("the message has no recipient", "give it to, cc or bcc")
        if not (self.text or self.html):
            raise _wrong("the message has neither text nor html", "give it one of them, or both")
        if _UNWRITABLE.search(self.text) or _UNWRITABLE.search(self.html):
            raise _wrong("the text has a NUL or half of a character", "leave it out")

    def addresses(self, name: str) -> tuple[Address, ...]:
        """Return the addresses of one of its fields: `to`, `cc` or `bcc`."""
        return tuple(parse_address(each, name) for each in getattr(self, name))


def _wrong(message: str, hint: str) -> MessageError:
    return MessageError(message, code="mail.E003", hint=hint, where=calling_line())
