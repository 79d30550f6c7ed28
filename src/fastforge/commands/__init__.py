"""Commands: what apps add to the command line.

Names are imported when they are used: listing the commands needs no more than their files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .declaration import Command as Command
    from .declaration import Context as Context
    from .declaration import Starts as Starts
    from .declaration import command as command
    from .discovery import CommandFile as CommandFile
    from .discovery import CommandGroup as CommandGroup
    from .discovery import each_command as each_command
    from .discovery import find_commands as find_commands
    from .shell import SHELL_NAMES as SHELL_NAMES
    from .shell import ShellNames as ShellNames
    from .shell import shell_names as shell_names

_LAZY = {
    "Command": "declaration",
    "CommandFile": "discovery",
    "CommandGroup": "discovery",
    "Context": "declaration",
    "SHELL_NAMES": "shell",
    "ShellNames": "shell",
    "Starts": "declaration",
    "command": "declaration",
    "each_command": "discovery",
    "find_commands": "discovery",
    "shell_names": "shell",
}

__all__ = [
    "SHELL_NAMES",
    "Command",
    "CommandFile",
    "CommandGroup",
    "Context",
    "ShellNames",
    "Starts",
    "command",
    "each_command",
    "find_commands",
    "shell_names",
]


def __getattr__(name: str) -> object:
    from .._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
