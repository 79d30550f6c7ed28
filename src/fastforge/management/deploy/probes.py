"""Probes: how a cluster asks a pod whether it has started, lives, and takes work."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from .deployment import Deployment

__all__ = ["ProbePaths", "probes"]

START_PERIOD_S: Final = 2
LIVE: Final = {"periodSeconds": 10, "timeoutSeconds": 3, "failureThreshold": 3}


class ProbePaths(NamedTuple):
    """Where a container is asked; an empty path is none.

    Args:
        startup: Whether it has started; where that is not asked, whether it lives.
        live: Whether it lives.
        ready: Whether it takes work.
    """

    startup: str
    live: str
    ready: str


def probes(deployment: Deployment, port: str, paths: ProbePaths) -> str:
    """Return the three probes of a container; those that have no path are left out.

    Whoever lives is not asked for its resources: a database that is away restarts nobody.

    Args:
        deployment: The project.
        port: The name of the container's port.
        paths: Where it is asked.
    """
    tries = math.ceil(deployment.start_s / START_PERIOD_S)
    start = {"periodSeconds": START_PERIOD_S, "timeoutSeconds": 3, "failureThreshold": tries}
    # It answers within HEALTH.timeout_s, be it with 503.
    timeout_s = math.ceil(deployment.health.timeout_s) + 1
    ready = {"periodSeconds": 5, "timeoutSeconds": timeout_s, "failureThreshold": 2}
    asked = {
        "startupProbe": (paths.startup or paths.live, start),
        "livenessProbe": (paths.live, LIVE),
        "readinessProbe": (paths.ready, ready),
    }
    return "\n".join(
        _probe(name, port, path, times) for name, (path, times) in asked.items() if path
    )


def _probe(name: str, port: str, path: str, times: dict[str, int]) -> str:
    lines = [f"{name}:", "  httpGet:", f"    path: {path}", f"    port: {port}"]
    return "\n".join([*lines, *(f"  {field}: {value}" for field, value in times.items())])
