"""Send a message to an address now, to see whether MAIL is right."""

from __future__ import annotations

from typing import Annotated

from ....commands import Context, command
from ....lifecycle import injected
from ..message import Message
from ..resources import Mailer

__all__ = ["sendtestmail"]

_SUBJECT = "A test of the mail settings"
_TEXT = "If you read this, MAIL is right: fastforge has sent it by `manage sendtestmail`."


@command
async def sendtestmail(
    address: Annotated[str, "Who gets it."],
    *,
    mailer: Mailer = injected,
    context: Context,
) -> None:
    """Send it here, past the queue, and say what came of it."""
    message = Message(to=address, subject=_SUBJECT, text=_TEXT)
    message_id = await mailer.send(message, immediately=True)
    by = mailer.config.target if mailer.name == "smtp" else f"the backend {mailer.name!r}"
    context.echo(f"sent by {by}: {message_id}")
