"""Listening: a connection of one's own, by which a process hears what others NOTIFY."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["cut", "listen"]

Heard = Callable[[str], None]


async def listen(
    engine: AsyncEngine,
    name: str,
    heard: Heard,
    *,
    began: Callable[[], None],
    ask_every_s: float | None = None,
) -> None:
    """Call `heard` with what comes in, until cancelled.

    Surprises: a server that is frozen, or that is cut off without a word, closes no connection.
    With `ask_every_s` it is asked for a word so often, and left when it gives none for so long.

    Args:
        engine: One whose connections do not go through a pooler; one of them is taken.
        name: A plain name, which is not quoted.
        heard: Called with each payload, in order. It does not raise.
        began: Called once, when whatever is committed from now on is heard.
        ask_every_s: How often the server is asked whether it is there; None: never.

    Raises:
        Exception: The connection is lost, by whatever error the driver has for it.
    """
    if engine.dialect.driver == "asyncpg":
        await _listen_asyncpg(engine, name, heard, began, ask_every_s)
    else:
        await _listen_psycopg(engine, name, heard, began, ask_every_s)


async def _listen_asyncpg(
    engine: AsyncEngine,
    name: str,
    heard: Heard,
    began: Callable[[], None],
    ask_every_s: float | None,
) -> None:
    async with _connection(engine) as driver:
        ended = asyncio.Event()
        driver.add_termination_listener(lambda _: ended.set())
        await driver.add_listener(name, lambda *arguments: heard(arguments[-1]))
        began()
        while not ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), ask_every_s)
            if ask_every_s is not None and not ended.is_set():
                await _ask(driver, ask_every_s)
    raise ConnectionError("the listening connection has ended")


async def _listen_psycopg(
    engine: AsyncEngine,
    name: str,
    heard: Heard,
    began: Callable[[], None],
    ask_every_s: float | None,
) -> None:
    async with _connection(engine) as driver:
        await driver.set_autocommit(True)
        await driver.execute(f"LISTEN {name}")
        began()
        while True:
            async for notify in driver.notifies(timeout=ask_every_s):
                heard(notify.payload)
            if ask_every_s is not None:
                await _ask(driver, ask_every_s)


async def _ask(driver: Any, within_s: float) -> None:
    """Wait for an answer; without one leave the server."""
    task = asyncio.ensure_future(driver.execute("SELECT 1"))
    try:
        await asyncio.wait({task}, timeout=within_s)
    finally:
        is_silent = not task.done()
        if is_silent:
            cut(driver)
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # seen
    if is_silent:
        raise ConnectionError("the server says nothing")
    await task


def cut(driver: Any) -> None:
    """End a driver's connection at once; whoever waits for its server finds it closed.

    A statement that is cancelled in its place waits again: the drivers ask the server to end it.
    """
    if hasattr(driver, "terminate"):  # asyncpg's
        driver.terminate()
        return
    with suppress(OSError), socket.socket(fileno=os.dup(driver.pgconn.socket)) as other:
        other.shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def _connection(engine: AsyncEngine) -> AsyncIterator[Any]:
    """Give a driver's connection, which is closed at the end: nobody else shall be notified."""
    async with engine.connect() as connection:
        try:
            yield (await connection.get_raw_connection()).driver_connection
        finally:
            await connection.invalidate()
