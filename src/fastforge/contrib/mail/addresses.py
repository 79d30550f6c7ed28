"""Addresses: one mailbox each, checked before anything is enqueued."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import idna

from ..._utils import calling_line, printable
from .errors import MessageError

__all__ = ["Address", "parse_address"]

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL: Final = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_QUOTED: Final = re.compile(r'"(?P<inner>(?:[^"\\]|\\.)*)"')
_NAMED: Final = re.compile(r'(?P<name>"(?:[^"\\]|\\.)*"|[^<>"]*?)\s*<(?P<spec>[^<>]*)>')
_SEVERAL: Final = re.compile(r"[,;@]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_LONGEST_LOCAL: Final = 64
_LONGEST: Final = 254
_LONGEST_NAME: Final = 200
_LONGEST_TEXT: Final = 2 * _LONGEST_NAME + _LONGEST + len('"" <>')
"""Each letter of a name may have a \\ before it. What follows takes the square of the length."""
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox, as a server takes it.

    Args:
        name: What is shown; may be empty.
        spec: `local@domain`, in ASCII: a domain with other letters is encoded.
    """

    name: str
    spec: str

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.spec.rpartition("@")[2]


def parse_address(text: str, of: str) -> Address:
    """Return a mailbox from `ann@example.org` or `Ann <ann@example.org>`.

    Args:
        text: The text.
        of: What it is, for messages: `to`, `MAIL.from_address`.

    Raises:
        MessageError: It is none, or more than one.
    """
    stripped = text.strip()
    if len(stripped) > _LONGEST_TEXT:
        raise _refused(text, of, f"it is longer than {_LONGEST_TEXT} characters")
    if _CONTROL.search(text):
        raise _refused(text, of, "it has a line break or another control character")
    named = _NAMED.fullmatch(stripped)
    name = _name(named["name"], text, of) if named else ""
    spec = named["spec"].strip() if named else stripped
    local, at, domain = spec.rpartition("@")
    if not at:
        raise _refused(text, of, "it has no @")
    return Address(name=name, spec=_spec(local, domain, text, of))


def _spec(local: str, domain: str, text: str, of: str) -> str:
    if not local.isascii():
        raise _refused(text, of, "what stands before the @ has letters that few servers take")
    if not _LOCAL.fullmatch(local) or len(local) > _LONGEST_LOCAL:
        raise _refused(text, of, "what stands before the @ is no name of a mailbox")
    try:
        encoded = idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise _refused(text, of, "what stands behind the @ is no domain") from None
    spec = f"{local}@{encoded}"
    if len(spec) > _LONGEST:
        raise _refused(text, of, f"it is longer than {_LONGEST} characters")
    return spec


def _name(name: str, text: str, of: str) -> str:
    quoted = _QUOTED.fullmatch(name)
    if quoted is None and _SEVERAL.search(name):
        raise _refused(text, of, "it looks like several")
    if len(name) > _LONGEST_NAME:
        raise _refused(text, of, f"its name is longer than {_LONGEST_NAME} characters")
    return re.sub(r"\\(.)", r"\1", quoted["inner"]) if quoted else name


def _refused(text: str, of: str, why: str) -> MessageError:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return MessageError(
        f"{of}: '{printable(shown)}' is no address of a mailbox: {why}",
        code="mail.E001",
        hint='write "ann@example.org" or "Ann <ann@example.org>", each address for itself; a name'
        ' with , ; or @ stands in quotes: "\\"Smith, Ann\\" <ann@example.org>"',
        where=calling_line(),
    )
