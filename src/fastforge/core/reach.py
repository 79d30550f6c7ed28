"""Reach: whether what one process of a project publishes comes to those who have joined in another.

What is in memory does not. `check --deploy` says so; a process that is one of several refuses to
start, since the messages that it would lose are missed by nobody but clients.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ..channels.carrying.broker import MEMORY, SHARED_HINT, chosen_backend
from ..channels.kinds import CHANNEL_BACKENDS, CHANNELS
from ..exceptions import StartError
from .processes import serving_processes
from .settings import Server

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["is_out_of_reach", "refuse_apart", "refuse_several"]

logger = logging.getLogger("fastforge.channels")

CHECK_ID: Final = "channels.E018"
"""The check that says the same; whoever silences it, with a reason, is believed here too."""


def refuse_several(project: Project) -> None:
    """Let one of several servers refuse to start where each would have channels of its own.

    Raises:
        StartError: That is so.
    """
    others = project.settings.section(Server).processes or 1
    processes = max(serving_processes.get(), others)
    if processes > 1 and _is_to_be_refused(project):
        raise _apart(
            project,
            f"{processes} processes serve, and each would have channels of its own",
            f"{SHARED_HINT}; or let one process serve: --workers 1",
        )


def refuse_apart(project: Project) -> None:
    """Let a worker beside the server refuse to start, where nobody would hear what it publishes.

    While somebody develops it says so and goes on: what a job publishes is refused then.

    Raises:
        StartError: That is so.
    """
    if project.settings.environment == "test" or not _is_to_be_refused(project):
        return
    error = _apart(
        project,
        "what jobs publish in this process would reach nobody, and is refused",
        f'{SHARED_HINT}; where no job publishes, SILENCED_CHECKS = {{"{CHECK_ID}": "why"}}',
    )
    if project.settings.environment != "development":
        raise error
    logger.warning("%s", error)


def is_out_of_reach(project: Project) -> bool:
    """Return whether there are channels, and what is published stays in the memory of a process."""
    registry = project.registry
    declared = registry.values(CHANNEL_BACKENDS)
    return bool(registry.values(CHANNELS)) and chosen_backend(project.settings, declared) == MEMORY


def _is_to_be_refused(project: Project) -> bool:
    reasons: Mapping[str, str] = project.settings["SILENCED_CHECKS"]
    return is_out_of_reach(project) and not reasons.get(CHECK_ID, "").strip()


def _apart(project: Project, what: str, hint: str) -> StartError:
    settings = project.settings
    return StartError(
        f"CHANNELS.backend is memory: {what}",
        code="channels.E024",
        hint=hint,
        where=settings.where("CHANNELS") or settings.where("INSTALLED_APPS"),
    )
