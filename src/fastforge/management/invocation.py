"""Invocation: one call of the command line, and the project that it is about, read when needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..commands import CommandFile, CommandGroup, find_commands
from ..core.identity import COMMANDS, LABEL
from ..exceptions import ForgeError
from ..observability.tracebacks import tracebacks_are_wanted

if TYPE_CHECKING:
    from ..project import Outline, Project

__all__ = ["OUTSIDE_PROJECT", "Invocation", "Listing", "core_commands"]

OUTSIDE_PROJECT: Final = frozenset({"completion", "info", "startproject"})
"""The commands that make sense where no project is."""

NO_SETTINGS_NAMED: Final = "conf.E013"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What `--help` and shell completion show.

    Args:
        settings_module: The settings module; an empty string where none is named.
        commands: All that can be run from here, by name.
        failure: Why commands of apps are missing; None when they are not.
    """

    settings_module: str
    commands: Mapping[str, CommandFile | CommandGroup]
    failure: Exception | None = None


class Invocation:
    """What the options before the command said, and what they lead to.

    Surprises: the settings are read at the first question that they have to answer, once, and a
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
            from ..project import Outline  # not for the list of commands: it imports pydantic

            try:
                self._outline = Outline.read(self.settings_module, named_by="--settings")
            except Exception as error:
                self._outline = error
        if isinstance(self._outline, Exception):
            raise self._outline
        return self._outline

    @cached_property
    def listing(self) -> Listing:
        """The commands that can be run from here; the settings are run only if they have to be."""
        core = core_commands()
        try:
            module, named_by = self._settings()
        except ForgeError as error:
            is_outside = error.code == NO_SETTINGS_NAMED
            shown = {name: core[name] for name in OUTSIDE_PROJECT} if is_outside else core
            return Listing(settings_module="", commands=shown, failure=error)
        try:
            commands = self._commands(module, named_by)
        except Exception as error:
            return Listing(settings_module=module, commands=core, failure=error)
        return Listing(settings_module=module, commands=commands)

    @property
    def is_in_project(self) -> bool:
        """Whether something names a settings module, be it right or wrong."""
        try:
            self._settings()
        except ForgeError as error:
            return error.code != NO_SETTINGS_NAMED
        return True

    def known(self) -> Mapping[str, CommandFile | CommandGroup]:
        """Return all commands that exist, also those that need a project where none is."""
        return {**core_commands(), **self.listing.commands}

    def command(self, name: str) -> CommandFile | CommandGroup | None:
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

    def _settings(self) -> tuple[str, str]:
        """Return the name of the settings module, and what named it."""
        if self._project is not None:
            return self._project.settings.module, ""
        if self.settings_module is not None:
            return self.settings_module, "--settings"
        from ..conf.finding import find_settings_module

        return find_settings_module(Path.cwd(), os.environ)

    def _commands(self, module: str, named_by: str) -> Mapping[str, CommandFile | CommandGroup]:
        from ..conf.finding import make_importable
        from .static import static_commands

        if self._project is not None:
            return self._project.commands
        make_importable(Path.cwd())
        found = static_commands(module, named_by=named_by)
        return self.outline().commands if found is None else found


def core_commands() -> Mapping[str, CommandFile | CommandGroup]:
    """Return the framework's own commands, which are there whatever the settings say."""
    return find_commands([(LABEL, COMMANDS)])
