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
    from .discovery import find_commands as find_commands

_LAZY = {
    "Command": "declaration",
    "CommandFile": "discovery",
    "Context": "declaration",
    "Starts": "declaration",
    "command": "declaration",
    "find_commands": "discovery",
}

__all__ = ["Command", "CommandFile", "Context", "Starts", "command", "find_commands"]


def __getattr__(name: str) -> object:
    from .._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
