"""Mail: messages that are checked, sent as jobs, and tried again while the server is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._utils import lazy_attribute

if TYPE_CHECKING:
    from .backend import Delivery as Delivery
    from .backend import MailBackend as MailBackend
    from .backend import MailTransport as MailTransport
    from .errors import MailError as MailError
    from .errors import MailRefused as MailRefused
    from .errors import MailUnavailable as MailUnavailable
    from .errors import MessageError as MessageError
    from .letter import Letter as Letter
    from .message import Attachment as Attachment
    from .message import Message as Message
    from .resources import Mailer as Mailer
    from .settings import Mail as Mail

__all__ = [
    "Attachment",
    "Delivery",
    "Letter",
    "Mail",
    "MailBackend",
    "MailError",
    "MailRefused",
    "MailTransport",
    "MailUnavailable",
    "Mailer",
    "Message",
    "MessageError",
]

_LAZY = {
    "Attachment": "message",
    "Delivery": "backend",
    "Letter": "letter",
    "Mail": "settings",
    "MailBackend": "backend",
    "MailError": "errors",
    "MailRefused": "errors",
    "MailTransport": "backend",
    "MailUnavailable": "errors",
    "Mailer": "resources",
    "Message": "message",
    "MessageError": "errors",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
