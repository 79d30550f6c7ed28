"""The resource `mailer`, and the annotation that gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from ...lifecycle import current_container, provide, resource, section
from .choosing import chosen_backend
from .sender import MailSender
from .settings import Mail

__all__ = ["Mailer", "mailer"]


@resource
async def mailer(config: Annotated[Mail, section(Mail)]) -> AsyncIterator[MailSender]:
    """Open the backend that MAIL names; one that needs a server connects with the first message.

    Raises:
        StartError: There is no such backend, or what it needs is not written.
    """
    container = current_container()
    backend = chosen_backend(container.registry, container.settings)
    async with backend.open(container) as transport:
        yield MailSender(config, transport, backend.name)


Mailer = Annotated[MailSender, provide(mailer)]
"""Sends mail: `async def welcome(mailer: Mailer): await mailer.send(Message(...))`."""
