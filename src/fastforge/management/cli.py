"""The command line: `manage`, `fastforge`, `python -m fastforge` and a project's `manage.py`.

The list of commands is read without importing one; a command is imported when it runs.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

import click

from .. import __version__
from ..commands import CommandFile, CommandGroup
from ..ending import will_exit
from ..observability.tracebacks import TRACEBACK_VARIABLE
from .groups import LazyGroup
from .invocation import Invocation, Listing
from .lazy import LazyCommand
from .reporting import ROLES, colour, lines_of, report
from .usage import knowing, no_such_command, usage_error

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["main", "run"]

INTERRUPTED_EXIT_CODE = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code.

    Args:
        arguments: What follows the program's name; the process's own.
    """
    _open_closed_streams()
    _never_fail_to_write()
    code = run(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _output_is_closed()
    will_exit(code)
    sys.exit(code)


def run(
    arguments: Sequence[str], *, program: str | None = None, project: Project | None = None
) -> int:
    """Run one command and return the exit code: 0 ok, 1 found something, 2 refused, 3 no start.

    ```python
    assert run(["migrate"]) == 0
    ```

    Args:
        arguments: Options, the command's name and its own arguments.
        program: What messages call the program; found out from how it was started.
        project: A loaded project, in place of the one that the settings say.
    """
    invocation = Invocation(project)
    try:
        result = _Manage().main(list(arguments), program, standalone_mode=False, obj=invocation)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        return _report(usage_error(error), invocation, arguments)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED_EXIT_CODE
    except Exception as error:
        return _report(error, invocation, arguments)
    return result if isinstance(result, int) else 0


def _report(error: BaseException, invocation: Invocation, arguments: Sequence[str]) -> int:
    # Not by parsing, which may be what has failed.
    name = next((each for each in arguments if each in ROLES), "")
    return report(error, show_traceback=invocation.traceback, command=name)


def _open_closed_streams() -> None:
    """Let what whoever started us has closed (`>&-`) be empty, and no file of ours take its place.

    The next file that is opened gets the lowest free number: a database could become what a child
    process takes for its output.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode)  # noqa: SIM115
            if stream.fileno() != number:
                os.dup2(stream.fileno(), number)
            setattr(sys, name, stream)


def _never_fail_to_write() -> None:
    """Let a character that the output cannot show become an escape, in place of an exception."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _output_is_closed() -> int:
    # Whoever read our output has left. Python would write to it once more while it ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


class _Manage(click.Group):
    """The group of all commands, found when they are asked for."""

    def __init__(self) -> None:
        super().__init__(
            name="manage",
            params=list(_options()),
            context_settings={"max_content_width": 100, "color": colour()},
            subcommand_metavar="COMMAND ...",
        )

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.is_eager = False  # after `--settings`, which decides what help shows
        return option

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with knowing(ctx):
            return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ctx.obj.listing.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if ctx.resilient_parsing:  # a shell asks what could be typed: no settings are run for that
            file = ctx.obj.listing.commands.get(cmd_name)
        else:
            file = ctx.obj.command(cmd_name)
        if isinstance(file, CommandGroup):
            return LazyGroup(file)
        return None if file is None else LazyCommand(file)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            if name.startswith("-"):
                raise click.NoSuchOption(name, ctx=ctx)
            raise no_such_command(
                name, ctx.command_path, ctx.obj.known(), in_project=ctx.obj.is_in_project
            )
        return super().resolve_command(ctx, args)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_headline(ctx.obj.listing))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for app, files in _by_app(ctx.obj.listing.commands).items():
            with formatter.section(click.style(app, bold=True)):
                formatter.write_dl([(file.name, file.help) for file in files])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        failure = ctx.obj.listing.failure
        if failure is None:
            return
        absent = "The commands of apps" if ctx.obj.is_in_project else "The other commands"
        formatter.write(f"\n{absent} are not listed:\n")
        for line in lines_of(failure):
            formatter.write(f"  {line}\n")


def _options() -> Iterator[click.Option]:
    yield click.Option(
        ["--settings"],
        metavar="MODULE",
        is_eager=True,
        expose_value=False,
        callback=_remember_settings,
        help="The settings module, for example shop.settings.",
    )
    yield click.Option(
        ["--traceback"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_remember_traceback,
        help="Show the whole traceback of a failure.",
    )
    yield click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help="Show the version and exit.",
    )


def _remember_settings(ctx: click.Context, option: click.Parameter, value: str | None) -> None:
    ctx.obj.settings_module = value


def _remember_traceback(ctx: click.Context, option: click.Parameter, value: bool) -> None:
    if value:
        os.environ[TRACEBACK_VARIABLE] = "1"  # for child processes, and the server in this one
        ctx.obj.traceback = True


def _show_version(ctx: click.Context, option: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        python = ".".join(map(str, sys.version_info[:3]))
        click.echo(f"fastforge {__version__}, Python {python}")
        ctx.exit()


def _headline(listing: Listing) -> str:
    if not listing.settings_module:
        return f"The command line of fastforge {__version__}."
    return f"fastforge {__version__} on {listing.settings_module}."


def _by_app(
    files: Mapping[str, CommandFile | CommandGroup],
) -> Mapping[str, list[CommandFile | CommandGroup]]:
    groups: dict[str, list[CommandFile | CommandGroup]] = {}
    for file in sorted(files.values(), key=lambda file: file.name):
        groups.setdefault(file.app, []).append(file)
    order = dict.fromkeys(file.app for file in files.values())
    return {app: groups[app] for app in order}
