"""Asking: a yes or no of whoever sits at the terminal, on the event loop that goes on."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from ..._utils import counted
from ...exceptions import CommandError

__all__ = ["confirmed"]

LONGEST_LINE = 1024


async def confirmed(verb: str, count: int) -> bool:
    """Return whether a person wants something done to so many jobs.

    Raises:
        CommandError: There is no terminal to ask at.
    """
    jobs = counted(count, "job")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CommandError(
            f"`jobs {verb}` would change {jobs}, and nobody is here to be asked",
            code="tasks.E086",
            hint="--yes does it without asking",
        )
    click.echo(f"{verb.capitalize()} {jobs}? [y/N] ", err=True, nl=False)
    return (await _line()).strip().lower() in ("y", "yes")


async def _line() -> str:
    """Read a line. `input` would keep Ctrl-C from the event loop, which hears the signals here."""
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str] = loop.create_future()
    descriptor = sys.stdin.fileno()

    def receive() -> None:
        if not read.done():
            read.set_result(os.read(descriptor, LONGEST_LINE).decode(errors="replace"))

    loop.add_reader(descriptor, receive)
    try:
        return await read
    finally:
        loop.remove_reader(descriptor)
