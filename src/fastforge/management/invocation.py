"""Invocation: one call of the command line, and the project that it is about, read when needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ..commands import CommandFile, find_commands
from ..core.identity import COMMANDS, LABEL
from ..exceptions import ForgeError
from ..observability.tracebacks import tracebacks_are_wanted

if TYPE_CHECKING:
    from ..project import Outline, Project

__all__ = ["OUTSIDE_PROJECT", "Invocation", "core_commands"]

OUTSIDE_PROJECT: Final = frozenset({"startproject"})
"""The commands that make sense where no project is."""

NO_SETTINGS_NAMED: Final = "conf.E013"


class Invocation:
    """What the options before the command said, and what they lead to.

    Surprises: the settings are read at the first question that they can answer, once, and a
    failure is kept: `--help` shows it as a note, everything else raises it.

    Attributes:
        settings_module: What `--settings` named.
        traceback: Whether `--traceback` or FASTFORGE_TRACEBACK asks for failures whole.

    Args:
        project: A project that is loaded already; then no settings are read.
    """

    def __init__(self, project: Project | None = None) -> None:
        self.settings_module: str | None = None
        self.traceback = tracebacks_are_wanted()
        self._project = project
        self._outline: Outline | Exception | None = project.outline if project else None

    def project(self) -> Project:
        """Return the loaded project.

        Raises:
            ForgeError: It cannot be loaded.
        """
        if self._project is None:
            from ..project import Project

            self._project = Project.of(self.outline())
        return self._project

    def outline(self) -> Outline:
        """Return the outline of the project.

        Raises:
            ForgeError: The settings or the apps cannot be read.
        """
        if self._outline is None:
            from ..project import Outline  # not for `startproject --help`: it imports pydantic

            try:
                self._outline = Outline.read(self.settings_module, named_by="--settings")
            except Exception as error:
                self._outline = error
        if isinstance(self._outline, Exception):
            raise self._outline
        return self._outline

    @property
    def failure(self) -> Exception | None:
        """Why there is no outline; None when there is one."""
        try:
            self.outline()
        except Exception as error:
            return error
        return None

    @property
    def is_in_project(self) -> bool:
        """Whether something names a settings module, be it right or wrong."""
        failure = self.failure
        return not (isinstance(failure, ForgeError) and failure.code == NO_SETTINGS_NAMED)

    def listed(self) -> Mapping[str, CommandFile]:
        """Return the commands that `--help` shows: all that can be run from here."""
        if self.failure is None:
            return self.outline().commands
        core = core_commands()
        if self.is_in_project:
            return core
        return {name: file for name, file in core.items() if name in OUTSIDE_PROJECT}

    def known(self) -> Mapping[str, CommandFile]:
        """Return all commands that exist, also those that need a project where none is."""
        return core_commands() if self.failure else self.outline().commands

    def command(self, name: str) -> CommandFile | None:
        """Return a command by name; the settings are read only for one that core does not have.

        Raises:
            ForgeError: No command of core, and the apps cannot be read to look further.
        """
        core = core_commands()
        if name in core:
            return core[name]
        if not self.is_in_project:
            return None
        return self.outline().commands.get(name)


def core_commands() -> Mapping[str, CommandFile]:
    """Return the framework's own commands, which are there whatever the settings say."""
    return find_commands([(LABEL, COMMANDS)])
