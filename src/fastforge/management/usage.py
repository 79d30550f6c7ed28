"""Usage: what click says about a wrong call, as one line in our words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

from .._utils import did_you_mean
from ..exceptions import CommandError

__all__ = ["knowing", "no_such_command", "usage_error"]

BEFORE_THE_COMMAND = ("--settings", "--traceback", "--version")


@contextmanager
def knowing(ctx: click.Context) -> Iterator[None]:
    """Give a usage error the context that it was made in, where click's parser forgets it."""
    try:
        yield
    except click.UsageError as error:
        error.ctx = error.ctx or ctx
        raise


def no_such_command(
    name: str, program: str, known: Iterable[str], *, in_project: bool
) -> CommandError:
    """Return the error for a command that nobody brings.

    Args:
        name: What was typed.
        program: The program's own name, for the hint.
        known: The commands that exist.
        in_project: Whether the commands of a project's apps are among them.
    """
    if name == "help":
        hint = f"write `{program} --help`, or `{program} COMMAND --help`"
    elif near := did_you_mean(name, known):
        hint = near
    elif in_project:
        hint = f"`{program} --help` lists the commands"
    else:
        hint = "commands of apps are found in a project's folder, or with --settings"
    return CommandError(f"there is no command {name!r}", code="management.E001", hint=hint)


def usage_error(error: click.UsageError) -> CommandError:
    """Return the one-line form of a click usage error."""
    program = error.ctx.command_path if error.ctx else "the command"
    if isinstance(error, click.NoSuchOption):
        return CommandError(
            f"`{program}` has no option {error.option_name!r}",
            code="management.E002",
            hint=_option_hint(error),
        )
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return CommandError(
            f"`{program}` needs {_shown(error.param)}",
            code="management.E003",
            hint=_usage(error.ctx),
        )
    if isinstance(error, click.BadParameter) and error.param is not None:
        return CommandError(
            f"{_shown(error.param)} of `{program}`: {_sentence(error.message)}",
            code="management.E004",
            hint=_usage(error.ctx),
        )
    return CommandError(
        f"`{program}`: {_sentence(error.format_message())}",
        code="management.E005",
        hint=_usage(error.ctx),
    )


def _option_hint(error: click.NoSuchOption) -> str:
    ctx = error.ctx
    if ctx is None:
        return ""
    if error.option_name in BEFORE_THE_COMMAND and ctx.parent is not None:
        return (
            f"it stands before the command: {ctx.find_root().command_path} {error.option_name} ..."
        )
    names = [name for p in ctx.command.get_params(ctx) for name in (*p.opts, *p.secondary_opts)]
    options = [name for name in names if name.startswith("-")]
    return did_you_mean(error.option_name, options) or f"`{ctx.command_path} --help` lists them"


def _shown(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option):
        return parameter.opts[-1]
    return parameter.human_readable_name.upper()


def _usage(ctx: click.Context | None) -> str:
    if ctx is None:
        return ""
    return "usage: " + " ".join((ctx.command_path, *ctx.command.collect_usage_pieces(ctx)))


def _sentence(text: str) -> str:
    """Return click's sentence as the middle of a line of ours."""
    line = " ".join(text.split()).removesuffix(".")
    return line[:1].lower() + line[1:]
