"""HEALTH: who asks how a process is, and who may read why."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...checks import Level, Message, check
from ...web.settings import Health

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["details_are_closed", "readiness_is_asked"]


@check(tags={"security", "settings"}, deploy=True)
def details_are_closed(project: Project) -> Iterator[Message]:
    """Refuse to tell everybody why a resource fails."""
    for network in project.settings.section(Health).details_to:
        if ipaddress.ip_network(network).prefixlen == 0:
            yield Message(
                id="web.E061",
                level=Level.ERROR,
                text=f"HEALTH.details_to has {network}: everybody may read what the project runs"
                " on, and why it fails",
                hint="write the networks of those who watch it, or a details_token",
                where=project.settings.where("HEALTH"),
            )


@check(tags={"server", "settings"}, deploy=True)
def readiness_is_asked(project: Project) -> Iterator[Message]:
    """Tell that nobody can see that a process is about to stop."""
    if not project.settings.section(Health).ready_path:
        yield Message(
            id="web.W073",
            level=Level.WARNING,
            text="HEALTH.ready_path is empty: a load balancer cannot see that a process stops, and"
            " goes on sending",
            hint="leave it at '/readyz', and have it asked",
            where=project.settings.where("HEALTH"),
        )
