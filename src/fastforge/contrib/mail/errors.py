"""Errors: a message that is not right, one that a server refuses, and a server that is away."""

from __future__ import annotations

from ...exceptions import ForgeError, ResourceUnavailable

__all__ = ["MailError", "MailRefused", "MailServerAway", "MailUnavailable", "MessageError"]


class MailError(ForgeError):
    """A message was not sent."""

    exit_code = 1


class MessageError(MailError):
    """A message is not right: an address, a header, its size. It was neither sent nor enqueued."""


class MailRefused(MailError):
    """The server refuses a message for good; sending it again would not help."""


class MailUnavailable(MailError, ResourceUnavailable):
    """The server cannot be reached, or cannot take the message now; later it may."""

    exit_code = 1


class MailServerAway(MailUnavailable):
    """The server cannot be reached, or lets nobody in: no other message would fare better."""
