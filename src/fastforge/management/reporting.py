"""Reporting: every way a command can fail, as lines on standard error and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import click

from .._utils import failing_line, redact, told
from ..exceptions import CommandError, ErrorGroup, ForgeError

if TYPE_CHECKING:
    from ..observability.logging.configuration import Role

__all__ = ["ROLES", "colour", "exit_code_of", "lines_of", "report"]

UNEXPECTED_EXIT_CODE: Final = 1
ROLES: Final[Mapping[str, Role]] = {"runserver": "web", "runworker": "worker"}
"""What commands become that run until they are told to stop: what they say is for a log."""


def report(error: BaseException, *, show_traceback: bool, command: str = "") -> int:
    """Write a failure to standard error and return the exit code of the process.

    A mistake that fastforge knows is one line. Any other exception is one line with the last
    line of the user's own code that ran. Passwords are masked, also in a traceback.

    Args:
        error: What was raised.
        show_traceback: Write the whole traceback first.
        command: The command that has failed. In production the failures of one that was to run
            until told to stop are lines of the log, unless a person reads them at a terminal.
    """
    if command in ROLES and _is_logged(error, ROLES[command]):
        return exit_code_of(error)
    if show_traceback:
        import traceback

        click.echo(redact("".join(traceback.format_exception(error))), err=True, nl=False)
    for line in lines_of(error):
        click.echo(click.style("error: ", fg="red") + line, err=True, color=colour())
    return exit_code_of(error)


def _is_logged(error: BaseException, role: Role) -> bool:
    """Write a failure as lines of the log, where those are JSON; return whether they are."""
    if sys.stderr.isatty():
        return False
    from ..observability.logging.configuration import Configuration
    from ..observability.logging.light import environment_here
    from ..observability.logging.refusals import tell_refusal

    configuration = Configuration.early(role, environment_here())
    if configuration.reach != "process" or configuration.shape != "json":
        return False
    for leaf in _leaves(error):
        if isinstance(leaf, ForgeError):
            _placed(leaf)
    tell_refusal(error, configuration=configuration)
    return True


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
