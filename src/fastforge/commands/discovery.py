"""Discovery: the commands of the installed apps, found by file and read without importing."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .._modules import find_module
from .._utils import first_line
from ..exceptions import ComponentError, Location

if TYPE_CHECKING:
    from .declaration import Command

__all__ = ["CommandFile", "CommandGroup", "each_command", "find_commands"]

_DOCSTRING: Final = re.compile(rb'\s*"""(?P<text>(?:[^"\\]|"(?!""))*)"""[ \t]*\r?\n')
"""A docstring as nearly everybody writes it. Parsing whole files would be most of `--help`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFile:
    """A command that has been found but not imported.

    Args:
        name: What is typed after `manage`: the file's name, behind that of its group in one.
        app: The label of the app.
        module: The dotted name of the file's module.
        location: The file.
    """

    name: str
    app: str
    module: str
    location: Location

    @property
    def help(self) -> str:
        """The first line of the file's docstring, read without importing it."""
        return _help_in(self.location.file)

    def load(self) -> Command:
        """Import the file and return its command.

        Raises:
            ComponentError: It does not load, or does not define exactly one command.
        """
        from ..components import load_module, top_level_names  # not for the list
        from .declaration import Command

        module = load_module(self.module)
        with open(self.location.file, "rb") as file:
            own = top_level_names(file.read())
        found = [value for name, value in vars(module).items() if name in own]
        commands = [value for value in found if isinstance(value, Command)]
        if len(commands) != 1:
            raise ComponentError(
                f"the file of the command {self.name!r} defines {len(commands)} commands",
                code="components.E012",
                hint="define exactly one function with @command in it",
                where=self.location,
            )
        return commands[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandGroup:
    """Commands that are typed behind one word: a folder in the folder of an app's commands.

    Args:
        name: The word: the folder's name.
        app: The label of the app.
        location: The folder's `__init__.py`, whose docstring is the help.
        commands: Its commands by what is typed behind the word.
    """

    name: str
    app: str
    location: Location
    commands: Mapping[str, CommandFile]

    @property
    def help(self) -> str:
        """The first line of the docstring of `__init__.py`, read without importing it."""
        return _help_in(self.location.file)


def find_commands(packages: Iterable[tuple[str, str]]) -> dict[str, CommandFile | CommandGroup]:
    """Return the commands of some apps by name, and their groups of commands.

    Args:
        packages: For each app its label and its commands package, in installation order.

    Raises:
        ComponentError: Two apps have a command, or a group, of one name.
    """
    found: dict[str, CommandFile | CommandGroup] = {}
    for label, package in packages:
        for command in _commands(label, package):
            other = found.setdefault(command.name, command)
            if other is not command:
                raise ComponentError(
                    f"two commands are named {command.name!r}:"
                    f" in app {other.app!r} at {other.location} and in app {command.app!r}",
                    code="components.E001",
                    hint="rename one of the files",
                    where=command.location,
                )
    return found


def each_command(commands: Mapping[str, CommandFile | CommandGroup]) -> Iterator[CommandFile]:
    """Yield the commands, in a group as well."""
    for command in commands.values():
        if isinstance(command, CommandGroup):
            yield from command.commands.values()
        else:
            yield command


def _commands(label: str, package: str) -> Iterator[CommandFile | CommandGroup]:
    spec = find_module(package)
    locations = (spec.submodule_search_locations if spec else None) or ()
    # A package without an `__init__.py` has a folder twice where `sys.path` has its parent twice,
    # as "" and by its name: pytest and `python -c` do that.
    for folder in dict.fromkeys(map(os.path.abspath, locations)):
        yield from _files(label, package, folder)
        for name in sorted(os.listdir(folder)):
            init = os.path.join(folder, name, "__init__.py")
            if not name.startswith("_") and os.path.isfile(init):
                files = _files(label, f"{package}.{name}", os.path.dirname(init), group=name)
                yield CommandGroup(
                    name=name,
                    app=label,
                    location=Location(init, 1),
                    commands={file.name.partition(" ")[2]: file for file in files},
                )


def _files(label: str, package: str, folder: str, *, group: str = "") -> Iterator[CommandFile]:
    for file in sorted(os.listdir(folder)):
        name, extension = os.path.splitext(file)
        if extension == ".py" and not name.startswith("_"):
            yield CommandFile(
                name=f"{group} {name}".lstrip(),
                app=label,
                module=f"{package}.{name}",
                location=Location(os.path.join(folder, file), 1),
            )


def _help_in(file: str) -> str:
    with open(file, "rb") as opened:
        source = opened.read()
    if written := _DOCSTRING.match(source):
        return first_line(written["text"].decode(errors="replace"))
    try:
        return first_line(ast.get_docstring(ast.parse(source)) or "")
    except SyntaxError as error:
        return f"(is not valid Python: line {error.lineno})"
