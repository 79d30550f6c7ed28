"""What the command line has to know of the core app before any setting is read: no imports here."""

__all__ = ["COMMANDS", "LABEL"]

LABEL = "fastforge"  # so that a project may have an app called core
COMMANDS = "fastforge.management.commands"
