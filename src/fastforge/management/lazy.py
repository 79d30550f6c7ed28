"""LazyCommand: a click command whose file is imported when it is parsed for, not when listed."""

from __future__ import annotations

import ast
import inspect
import select
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..commands import Command, CommandFile
from .reporting import report
from .usage import knowing

if TYPE_CHECKING:
    from .parameters import Form

__all__ = ["LazyCommand"]


class LazyCommand(click.Command):
    """One command of an app.

    Args:
        file: The file that was found for it.
    """

    def __init__(self, file: CommandFile) -> None:
        super().__init__(name=file.name.rpartition(" ")[2], short_help=file.help)
        self._file = file
        self._loaded: tuple[Command, Form] | None = None

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Import the command, then read its arguments."""
        try:
            command, form = self._load()
            self.params = list(form.parameters)
            self.help = _help(self._file, command)
            self.context_settings["ignore_unknown_options"] = command.forwards
        except Exception:
            if not extra.get("resilient_parsing"):
                raise  # else a shell asks what could be typed: nothing, of a broken command
        return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; a mistake knows the command that it was made with."""
        with knowing(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> int:
        """Run the command and return its exit code; a failure has been reported then."""
        from .running import Interrupted, run_command  # not for the list: it imports asyncio

        command, form = self._load()
        try:
            return run_command(command, form, ctx.obj, _given(ctx))
        except Interrupted as interruption:
            return interruption.exit_code
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            # Reported here: click ends silently when a pipe breaks, be it our output or another.
            if isinstance(error, BrokenPipeError) and _standard_output_is_closed():
                raise
            return report(error, show_traceback=ctx.obj.traceback, command=self._file.name)

    def _load(self) -> tuple[Command, Form]:
        from .parameters import form_of

        if self._loaded is None:
            command = self._file.load()
            self._loaded = command, form_of(command)
        return self._loaded


def _given(ctx: click.Context) -> Mapping[str, Any]:
    """Return the values that were typed; for the others the function's own defaults hold."""
    typed = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    return {
        name: ctx.params[name]
        for parameter in ctx.command.params
        if (name := parameter.name or "") in ctx.params
        if ctx.get_parameter_source(name) in typed or parameter.default is False
    }


def _help(file: CommandFile, command: Command) -> str:
    with open(file.location.file, encoding="utf-8") as source:
        text = ast.get_docstring(ast.parse(source.read())) or ""
    return text or inspect.getdoc(command.function) or ""


def _standard_output_is_closed() -> bool:
    """Return whether whoever read our output has left."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), select.POLLOUT)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # no poll here, or no real output
        return False
