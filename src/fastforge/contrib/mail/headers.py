"""Headers: the lines above a message, in ASCII and folded, and what may not stand in them.

They are written here and not by `email.message`, whose folding has taken lists of addresses apart
wrongly in several versions of Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.header import Header
from typing import Final

from ..._utils import calling_line, did_you_mean
from .addresses import Address
from .errors import MessageError

__all__ = ["address_lines", "check_headers", "check_line", "text_lines"]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_NAME: Final = re.compile(r"[!-9;-~]{1,70}")
_LONGEST: Final = 900
"""A line of a message has at most 998 characters."""
_FOLD_AT: Final = 76
_ENCODED_WORD: Final = "=?"
_FIELDS: Final = {
    "from": "from_address",
    "to": "to",
    "cc": "cc",
    "bcc": "bcc",
    "reply-to": "reply_to",
    "subject": "subject",
}
"""What a message has fields for."""
_OURS: Final = frozenset(
    ("date", "message-id", "mime-version", "sender", "return-path", "received")
)
_OF_THE_BODY: Final = "content-"


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that a message has fields for, and those that would begin another one.

    Raises:
        MessageError: One of them may not be given.
    """
    for name, value in headers.items():
        lower = name.lower()
        if not _NAME.fullmatch(name):
            raise _refused(f"{name!r} is no name of a header", "write it as in X-Order")
        if lower in _FIELDS:
            raise _refused(
                f"the header {name} is a field of the message",
                f"write {_FIELDS[lower]}=...",
            )
        if lower in _OURS or lower.startswith(_OF_THE_BODY):
            raise _refused(
                f"the header {name} is set by the mailer",
                did_you_mean(lower, _FIELDS) or "leave it out",
            )
        check_line(value, f"the header {name}")


def check_line(text: str, of: str) -> None:
    """Refuse a text that would be more than one line.

    Raises:
        MessageError: It has a line break or another control character, or is too long.
    """
    if _CONTROL.search(text):
        raise _refused(
            f"{of} has a line break or another control character",
            "it would begin a header of its own: give it without",
        )
    if len(text) > _LONGEST:
        raise _refused(f"{of} is longer than {_LONGEST} characters", "shorten it")


def text_lines(name: str, text: str, *, folds: bool = False) -> bytes:
    """Return a header; what is not ASCII is encoded.

    Args:
        name: Its name.
        text: Its value.
        folds: Whether it may be broken at any space.
    """
    is_plain = text.isascii() and _ENCODED_WORD not in text
    if is_plain and (not folds or len(name) + len(text) + 2 <= _FOLD_AT):
        return f"{name}: {text}\r\n".encode("ascii")
    charset = "us-ascii" if is_plain else "utf-8"
    header = Header(text, charset, maxlinelen=_FOLD_AT, header_name=name)
    return f"{name}: {header.encode(splitchars=' ', linesep=chr(13) + chr(10))}\r\n".encode("ascii")


def address_lines(name: str, addresses: Iterable[Address]) -> bytes:
    """Return a header of addresses, each on a line of its own; nothing when there are none."""
    shown = ",\r\n ".join(map(_shown, addresses))
    return f"{name}: {shown}\r\n".encode("ascii") if shown else b""


def _shown(address: Address) -> str:
    name = address.name
    if not name:
        return address.spec
    if name.isascii() and _ENCODED_WORD not in name:
        escaped = re.sub(r'(["\\])', r"\\\1", name)
        return f'"{escaped}" <{address.spec}>'
    encoded = Header(name, "utf-8", maxlinelen=_FOLD_AT).encode(linesep="\r\n")
    return f"{encoded}\r\n <{address.spec}>"


def _refused(message: str, hint: str) -> MessageError:
    return MessageError(message, code="mail.E002", hint=hint, where=calling_line())
