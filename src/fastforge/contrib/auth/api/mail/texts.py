"""Texts: what the mails say where a project says nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ....mail import Message
from .letters import MailName, Occasion, Writer

__all__ = ["TEXTS"]

_UNITS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def password_reset(occasion: Occasion) -> Message:
    """Let somebody choose another password."""
    return _written(
        occasion,
        "Choose a new password",
        f"somebody has asked for a new password for your account{_at(occasion)}.",
        _proof(occasion, "choose one"),
        "If it was not you, nothing has changed, and nothing needs to be done.",
    )


def password_changed(occasion: Occasion) -> Message:
    """Tell somebody of what a thief would keep from them."""
    return _written(
        occasion,
        "Your password was changed",
        f"the password of your account{_at(occasion)} was changed.",
        "If it was not you, choose another one at once, and find out who reads your mail.",
    )


def verification(occasion: Occasion) -> Message:
    """Ask whether an address is theirs."""
    return _written(
        occasion,
        "Confirm your e-mail address",
        f"this address was given for an account{_at(occasion)}.",
        _proof(occasion, "confirm that it is yours"),
        "If it was not you, do not follow it.",
    )


def registration(occasion: Occasion) -> Message:
    """Let somebody make an account."""
    return _written(
        occasion,
        "Finish your registration",
        f"somebody, you perhaps, wants to register this address{_at(occasion)}.",
        _proof(occasion, "choose a password and finish"),
        "If it was not you, nothing has happened, and nothing needs to be done.",
    )


def registered_already(occasion: Occasion) -> Message:
    """Tell somebody that they have an account."""
    return _written(
        occasion,
        "You have an account already",
        f"somebody, you perhaps, wants to register this address{_at(occasion)}."
        " There is an account with it: log in, or ask for a new password.",
        "If it was not you, nothing needs to be done.",
    )


TEXTS: Final[Mapping[MailName, Writer]] = MappingProxyType(
    {
        "password_changed": password_changed,
        "password_reset": password_reset,
        "registered_already": registered_already,
        "registration": registration,
        "verification": verification,
    }
)


def _written(occasion: Occasion, subject: str, *paragraphs: str) -> Message:
    text = "\n\n".join(("Hello,", *paragraphs))
    return Message(to=occasion.email, subject=subject, text=f"{text}\n")


def _proof(occasion: Occasion, to_do: str) -> str:
    what, proof = ("link", occasion.link) if occasion.link else ("code", occasion.token)
    return (
        f"If it was you, {to_do} with this {what}, which is good once and for"
        f" {_told(occasion.ttl_s)}:\n\n{proof}"
    )


def _at(occasion: Occasion) -> str:
    return f" at {occasion.site_name}" if occasion.site_name else ""


def _told(seconds: float) -> str:
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    number = max(1, int(seconds // size))
    return f"{number} {unit}{'' if number == 1 else 's'}"
