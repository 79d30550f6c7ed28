"""Metrics: where a platform reads them, of a project that shows them to Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["Metrics", "metrics_of"]

PROMETHEUS_APP: Final = "fastforge.contrib.prometheus"
PATH: Final = "/metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What a project says of its metrics, for one kind of process.

    Args:
        host: The address of the page.
        port: Its port.
        is_local: Whether it is for its own machine alone, which a container is as well.
    """

    host: str
    port: int
    is_local: bool

    @property
    def annotations(self) -> str:
        """What a Prometheus goes by that looks for pods; a comment where it could not read them."""
        if self.is_local:
            return self.hint
        return "\n".join(
            (
                "annotations:",
                '  prometheus.io/scrape: "true"',
                f'  prometheus.io/port: "{self.port}"',
                f"  prometheus.io/path: {PATH}",
            )
        )

    @property
    def container_port(self) -> str:
        """The port of a container."""
        return "" if self.is_local else f"- name: metrics\n  containerPort: {self.port}"

    @property
    def expose(self) -> str:
        """The port of a service of Compose, for others of its network."""
        return self.hint if self.is_local else f'expose: ["{self.port}"] # {PATH}, for Prometheus'

    @property
    def hint(self) -> str:
        """What has to change so that they can be read from outside of a container."""
        return (
            f"# Its metrics are at {self.host}:{self.port}, for itself alone: PROMETHEUS.host has"
            ' to be "0.0.0.0" here.'
        )

    @property
    def place(self) -> str:
        """Where they are read on a host."""
        return f"# Metrics for Prometheus: {self.host}:{self.port}{PATH}"


def metrics_of(project: Project) -> tuple[Metrics | None, Metrics | None]:
    """Return where the metrics of servers and of workers are; None where they are nowhere."""
    if all(each.name != PROMETHEUS_APP for each in project.apps):
        return None, None
    config: Any = project.settings["PROMETHEUS"]

    def at(port: int) -> Metrics | None:
        return Metrics(host=config.host, port=port, is_local=config.is_local) if port else None

    return at(config.port), at(config.worker_port)
