"""Publish a message to everybody who has joined a channel.

It is checked as one that the code publishes, and so are the limits. What reaches nobody is
refused: with the backend memory a message stays in the process that publishes it.
"""

from __future__ import annotations

import sys
from typing import Annotated

from ....commands import Context, command
from ...channels import message_of, publish_in

__all__ = ["publish_message"]


@command
async def publish_message(
    name: Annotated[str, "The name of a channel: room:7."],
    message: Annotated[str, "The message as JSON, with its type; - reads standard input."],
    *,
    context: Context,
) -> None:
    """Find the channel of a name, and publish there."""
    text = sys.stdin.read() if message == "-" else message
    channel, parameters = publish_in(name, context.container)
    said = message_of(channel, text)
    await channel.publish(said, **parameters)
    context.echo(f"published in {name}: {type(said).__name__}")
