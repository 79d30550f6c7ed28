"""Run the checks of a project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .check import CHECKS, Message

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["run_checks"]


def run_checks(project: Project, *, deploy: bool = False) -> Iterator[Message]:
    """Yield what the checks of every installed app find, without what is silenced.

    Args:
        project: The project, not running.
        deploy: Also run the checks that only matter in production.
    """
    silenced: dict[str, str] = project.settings["SILENCED_CHECKS"]
    for check in project.registry.values(CHECKS):
        if check.deploy and not deploy:
            continue
        for message in check.function(project):
            if message.id not in silenced:
                yield message
