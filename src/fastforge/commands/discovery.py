"""Discovery: the commands of the installed apps, found by file and read without importing."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .._utils import first_line
from ..components import load_module, top_level_names
from ..exceptions import ComponentError, Location
from .command import Command

__all__ = ["CommandFile", "find_commands"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFile:
    """A command that has been found but not imported.

    Args:
        name: What is typed after `manage`: the file's name.
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
        try:
            with open(self.location.file, "rb") as file:
                return first_line(ast.get_docstring(ast.parse(file.read())) or "")
        except SyntaxError as error:
            return f"(is not valid Python: line {error.lineno})"

    def load(self) -> Command:
        """Import the file and return its command.

        Raises:
            ComponentError: It does not load, or does not define exactly one command.
        """
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


def find_commands(packages: Iterable[tuple[str, str]]) -> dict[str, CommandFile]:
    """Return the commands of some apps by name.

    Args:
        packages: For each app its label and its commands package, in installation order.

    Raises:
        ComponentError: Two apps have a command of one name.
    """
    found: dict[str, CommandFile] = {}
    for label, package in packages:
        for command in _files(label, package):
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


def _files(label: str, package: str) -> Iterator[CommandFile]:
    spec = importlib.util.find_spec(package)
    if spec is None:
        return
    for folder in spec.submodule_search_locations or ():
        for path in sorted(Path(folder).glob("*.py")):
            if not path.stem.startswith("_"):
                yield CommandFile(
                    name=path.stem,
                    app=label,
                    module=f"{package}.{path.stem}",
                    location=Location(str(path), 1),
                )
