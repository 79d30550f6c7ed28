"""The kind of component that this app introduces: mail backends."""

from __future__ import annotations

from typing import Final

from ...components import Kind
from .backend import MailBackend

__all__ = ["MAIL_BACKENDS"]

MAIL_BACKENDS: Final[Kind[MailBackend]] = Kind(
    name="mail_backends",
    type=MailBackend,
    module="mail_backends",
    key=lambda backend: backend.name,
)
