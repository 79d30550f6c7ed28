"""LazyGroup: commands behind one word, such as `jobs list`, listed without importing one."""

from __future__ import annotations

import ast

import click

from ..commands import CommandGroup
from .lazy import LazyCommand
from .usage import knowing, no_such_command

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """One group of an app's commands.

    Args:
        group: The group that was found.
    """

    def __init__(self, group: CommandGroup) -> None:
        super().__init__(
            name=group.name,
            short_help=group.help,
            help=_docstring(group.location.file),
            subcommand_metavar="COMMAND ...",
        )
        self._group = group

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before the command; a mistake knows the group."""
        with knowing(ctx):
            return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return what can be typed behind the word."""
        return list(self._group.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of the group, not imported yet."""
        file = self._group.commands.get(cmd_name)
        return None if file is None else LazyCommand(file)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant.

        Raises:
            CommandError: There is none of that name; the nearest is told.
        """
        name = args[0]
        if name not in self._group.commands and not ctx.resilient_parsing:
            if name.startswith("-"):
                raise click.NoSuchOption(name, ctx=ctx)
            raise no_such_command(name, ctx.command_path, self._group.commands, in_project=True)
        return super().resolve_command(ctx, args)


def _docstring(file: str) -> str:
    with open(file, encoding="utf-8") as source:
        try:
            return ast.get_docstring(ast.parse(source.read())) or ""
        except SyntaxError:  # the list says so, and the command will
            return ""
