"""Commands: what apps add to the command line."""

from .command import Command, Context, Starts, command
from .discovery import CommandFile, find_commands

__all__ = ["Command", "CommandFile", "Context", "Starts", "command", "find_commands"]
