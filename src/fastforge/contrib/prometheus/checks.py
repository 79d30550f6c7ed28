"""What is legal but unwise about showing metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...checks import Level, Message, check
from .settings import Prometheus

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["path_is_public"]


@check(tags={"security", "prometheus", "settings"}, deploy=True)
def path_is_public(project: Project) -> Iterator[Message]:
    """Warn of metrics on the port that everybody reaches."""
    config = project.settings.section(Prometheus)
    if config.path:
        who = "whoever has the token" if config.token else "everybody who reaches the application"
        yield Message(
            id="prometheus.W001",
            level=Level.WARNING,
            text=f"PROMETHEUS.path shows the metrics at {config.path} to {who}",
            hint=f"leave it out: Prometheus finds them at port {config.port} of each host",
            where=project.settings.where("PROMETHEUS"),
        )
