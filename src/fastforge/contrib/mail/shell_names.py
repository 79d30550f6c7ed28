"""What the shell has of mail."""

from __future__ import annotations

from ...commands.shell import shell_names
from .message import Message
from .resources import Mailer

__all__ = ["mail"]


@shell_names(note="await mailer.send(Message(to=..., subject=..., text=...))")
def mail(mailer: Mailer) -> dict[str, object]:
    """Return the mailer, and what it takes."""
    return {"mailer": mailer, "Message": Message}
