"""Proving: that what is told comes in, which no server says by itself."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from ....channels import ChannelUnavailable

__all__ = ["heard_and_proved"]

Listen = Callable[[Callable[[], None]], Awaitable[None]]
WITHIN_S: Final = 1.5
"""Less than somebody who joins waits, so that they are told why."""
_WORD_BYTES: Final = 8


async def heard_and_proved(
    listen: Listen,
    tell: Callable[[str], Awaitable[object]],
    expect: Callable[[str], asyncio.Event],
    began: Callable[[], None],
) -> None:
    """Hear until the connection is lost; before `began` is called, hear a word of one's own.

    A pooler that nobody has told us of takes a LISTEN, and never gives on what comes.

    Args:
        listen: Hears, and calls what it is given when it does.
        tell: Tells everybody of a word.
        expect: Returns what is set once a word has come in.
        began: Called when what is told is heard.

    Raises:
        ChannelUnavailable: The word does not come in.
        Exception: The connection is lost.
    """
    listening = asyncio.Event()

    async def prove() -> None:
        await listening.wait()
        word = f"!{secrets.token_hex(_WORD_BYTES)}"
        heard = expect(word)
        await tell(word)
        try:
            await asyncio.wait_for(heard.wait(), WITHIN_S)
        except TimeoutError as error:
            raise _deaf() from error
        began()

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_task(listen(listening.set)))
            group.create_task(prove())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _task(work: Awaitable[None]) -> None:
    await work


def _deaf() -> ChannelUnavailable:
    return ChannelUnavailable(
        "PostgreSQL takes what is told, and what is told does not come in: a pooler in between"
        " gives away the connection that listens",
        code="channels.E045",
        hint="say in DATABASES where the server itself is: Database(..., pooler='transaction',"
        " direct_url=...)",
    )
