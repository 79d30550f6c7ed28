"""Terminal: a password, from whoever sits there or from the program that calls."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from ...exceptions import CommandError
from ...offloading import offload

__all__ = ["PASSWORD_VARIABLE", "asked_password", "asked_text"]

PASSWORD_VARIABLE: Final = "FASTFORGE_USER_PASSWORD"
"""For containers: what stands among the arguments of a program is seen by everybody."""
LONGEST_LINE: Final = 4096


async def asked_password(*, from_stdin: bool, ask: bool) -> str:
    """Return a password: from standard input, the variable, or typed twice without an echo.

    Args:
        from_stdin: Take the first line of standard input.
        ask: Whether somebody may be asked.

    Raises:
        CommandError: There is none; or what was typed twice is not the same.
    """
    if from_stdin:
        line: str = await offload(sys.stdin.readline, LONGEST_LINE)
        return line.rstrip("\r\n")
    if password := os.environ.get(PASSWORD_VARIABLE):
        return password
    _refuse_without_terminal("password", ask=ask)
    with _without_echo():
        password = await _hidden_line("Password: ")
        again = await _hidden_line("Password (again): ")
    if again != password:
        raise CommandError(
            "the two passwords are not the same", code="auth.E021", hint="nothing was changed"
        )
    return password


async def asked_text(label: str, *, ask: bool) -> str:
    """Return a line that somebody types.

    Raises:
        CommandError: Nobody may be asked, or is there.
    """
    _refuse_without_terminal(label, ask=ask)
    click.echo(f"{label}: ", err=True, nl=False)
    return (await _line()).strip()


def _refuse_without_terminal(what: str, *, ask: bool) -> None:
    if not (ask and sys.stdin.isatty() and sys.stderr.isatty()):
        raise CommandError(
            f"there is no {what}, and nobody can be asked",
            code="auth.E020",
            hint=f"set {PASSWORD_VARIABLE}, or pipe the password in with --password-stdin"
            if what == "password"
            else "write it as the argument",
        )


async def _hidden_line(label: str) -> str:
    click.echo(label, err=True, nl=False)
    line = await _line()
    click.echo(err=True)
    return line.rstrip("\r\n")


async def _line() -> str:
    """Read a line. `getpass` would keep Ctrl-C from the event loop, which hears the signals."""
    loop = asyncio.get_running_loop()
    read: asyncio.Future[bytes] = loop.create_future()
    descriptor = sys.stdin.fileno()

    def receive() -> None:
        if not read.done():
            read.set_result(os.read(descriptor, LONGEST_LINE))

    loop.add_reader(descriptor, receive)
    try:
        line = await read
    finally:
        loop.remove_reader(descriptor)
    if not line:  # Ctrl-D
        raise CommandError("nothing was typed", code="auth.E020", hint="nothing was changed")
    return line.decode(errors="surrogateescape")


@contextmanager
def _without_echo() -> Iterator[None]:
    import termios  # where there is none, the loop reads no terminal either

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    silent = [*before]
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSAFLUSH, silent)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
