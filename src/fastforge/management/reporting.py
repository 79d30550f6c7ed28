"""Reporting: every way a command can fail, as lines on standard error and an exit code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import click

from .._utils import failing_line, redact, told
from ..exceptions import CommandError, ErrorGroup, ForgeError

__all__ = ["colour", "exit_code_of", "lines_of", "report"]

UNEXPECTED_EXIT_CODE: Final = 1


def report(error: BaseException, *, show_traceback: bool) -> int:
    """Write a failure to standard error and return the exit code of the process.

    A mistake that fastforge knows is one line. Any other exception is one line with the last
    line of the user's own code that ran. Passwords are masked, also in a traceback.

    Args:
        error: What was raised.
        show_traceback: Write the whole traceback first.
    """
    if show_traceback:
        import traceback

        click.echo(redact("".join(traceback.format_exception(error))), err=True, nl=False)
    for line in lines_of(error):
        click.echo(click.style("error: ", fg="red") + line, err=True, color=colour())
    return exit_code_of(error)


def colour() -> bool | None:
    """Return what NO_COLOR or else FORCE_COLOR says; None leaves it to whether a terminal reads."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None


def exit_code_of(error: BaseException) -> int:
    """Return 2 or 3 for what fastforge refuses, 1 for a failure of the command's own."""
    codes = [
        leaf.exit_code if isinstance(leaf, ForgeError) else UNEXPECTED_EXIT_CODE
        for leaf in _leaves(error)
    ]
    return max(codes)


def lines_of(error: BaseException) -> Iterator[str]:
    """Yield a line for each mistake that an exception stands for."""
    for leaf in _leaves(error):
        # Ours mask what they quote; masking "SECRET_KEY=..." in a hint would spoil it.
        yield str(_placed(leaf) if isinstance(leaf, ForgeError) else _unexpected(leaf))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, ErrorGroup | BaseExceptionGroup):
        for inner in error.errors if isinstance(error, ErrorGroup) else error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _placed(error: ForgeError) -> ForgeError:
    """Give a mistake without a place the last line of the user's own code that ran, if any."""
    # A CommandError is about what was typed, which stands in no file.
    if not error.where and not isinstance(error, CommandError):
        error.where = failing_line(error)
    return error


def _unexpected(error: BaseException) -> CommandError:
    return CommandError(
        told(error),
        code="management.E010",
        hint="--traceback shows all of it",
        where=failing_line(error),
    )
