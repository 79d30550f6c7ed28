"""What the shell has of the framework's own kinds."""

from __future__ import annotations

from ..commands.shell import names_of, shell_names
from ..lifecycle import current_container
from ..tasks.kinds import TASKS

__all__ = ["tasks"]


@shell_names
def tasks() -> dict[str, object]:
    """Return the tasks of all apps."""
    return names_of(current_container().registry.components(TASKS))
