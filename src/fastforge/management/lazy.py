"""LazyCommand: a click command whose file is imported when it is parsed for, not when listed."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource

from ..commands import Command, CommandFile
from .parameters import Form, form_of
from .reporting import report
from .running import Interrupted, run_command

__all__ = ["LazyCommand"]


class LazyCommand(click.Command):
    """One command of an app.

    Args:
        file: The file that was found for it.
    """

    def __init__(self, file: CommandFile) -> None:
        super().__init__(name=file.name, short_help=file.help)
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
        command, form = self._load()
        self.params = list(form.parameters)
        self.help = _help(self._file, command)
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> int:
        """Run the command and return its exit code; a failure has been reported then."""
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
            return report(error, show_traceback=ctx.obj.traceback)

    def _load(self) -> tuple[Command, Form]:
        if self._loaded is None:
            command = self._file.load()
            self._loaded = command, form_of(command)
        return self._loaded


def _given(ctx: click.Context) -> Mapping[str, Any]:
    """Return the values that were typed; for the others the function's own defaults hold."""
    typed = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    given: dict[str, Any] = {}
    for parameter in ctx.command.params:
        name = parameter.name or ""
        if ctx.get_parameter_source(name) in typed:
            value = ctx.params[name]
            is_list = isinstance(parameter, click.Option) and parameter.multiple
            given[name] = list(value) if is_list else value
    return given


def _help(file: CommandFile, command: Command) -> str:
    with open(file.location.file, encoding="utf-8") as source:
        text = ast.get_docstring(ast.parse(source.read())) or ""
    return text or inspect.getdoc(command.function) or ""


def _standard_output_is_closed() -> bool:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return True
    except (OSError, ValueError):
        pass
    return False
