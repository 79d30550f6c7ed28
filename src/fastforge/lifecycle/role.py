"""Role: what kind of process a project is running in."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["ALL_ROLES", "Role"]


class Role(StrEnum):
    """The three readers of a project; a shell is a command."""

    WEB = "web"
    WORKER = "worker"
    COMMAND = "command"


ALL_ROLES: Final = frozenset(Role)
