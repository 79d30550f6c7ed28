"""Kubernetes: the manifests of a project's server, workers, migrations and settings."""

from __future__ import annotations

import json
import math
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from ...core.processes import CONCURRENCY_VARIABLE
from ...core.settings import PRE_STOP_VARIABLE
from ...scaffold.filling import fill
from ...scaffold.image import PORT, USER_ID
from .compose import WORKER_PORT, image_steps, refuse_files
from .deployment import Deployment, whole_seconds
from .metrics import Metrics
from .probes import ProbePaths, probes
from .templates import template
from .variables import Variable

__all__ = ["kubernetes_files", "next_steps"]

WORKER_PATHS: Final = ProbePaths("/startupz", "/livez", "/readyz")
FEWEST_PODS: Final = 2
"""One may be away: its node, or a release."""
MOST_TIMES: Final = 3
"""How many times as many pods there may be under load."""
MEMORY_MIB: Final = 256
"""What one process is given at first; look at what it uses."""


def kubernetes_files(deployment: Deployment, folder: Path) -> Mapping[str, str]:
    """Return the manifests by their names.

    Args:
        deployment: The project.
        folder: Where the files are to stand.

    Raises:
        CommandError: The settings name a SQLite file, which a container would lose.
    """
    refuse_files(deployment)
    manifests = _Manifests(deployment)
    files = {
        "settings.yaml": manifests.settings(),
        "secret.yaml.example": manifests.secret(),
        "web.yaml": manifests.web(),
    }
    if deployment.databases.scheme:
        files["migrate.yaml"] = manifests.migrate()
    if deployment.has_worker:
        files["worker.yaml"] = manifests.worker()
    return files


def next_steps(deployment: Deployment, folder: Path) -> Iterator[str]:
    """Yield what to type when the files are there."""
    yield from image_steps(deployment)
    here = os.path.relpath(folder)
    if here != ".":
        yield f"cd {shlex.quote(here)}"
    yield "cp secret.yaml.example secret.yaml           # fill it in, and settings.yaml"
    yield "kubectl apply --filename secret.yaml --filename settings.yaml"
    if deployment.databases.scheme:
        yield "kubectl replace --force --filename migrate.yaml"
        job = f"job/{deployment.name}-migrate"
        yield f"kubectl wait --for=condition=complete --timeout=15m {job}"
    worker = " --filename worker.yaml" if deployment.has_worker else ""
    yield f"kubectl apply --filename web.yaml{worker}"


class _Manifests:
    """The manifests of one project, as text."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.stop = deployment.with_pre_stop

    def settings(self) -> str:
        return self._filled("settings", data=self._data("data", is_secret=False))

    def secret(self) -> str:
        return self._filled("secret", data=self._data("stringData", is_secret=True))

    def web(self) -> str:
        processes = self.deployment.workers or 1
        health = self.deployment.health
        fewest, most = self._pods(processes)
        return self._filled(
            "web",
            arithmetic=self.stop.arithmetic,
            stop_s=str(whole_seconds(self.stop.kill_after_s)),
            command=self._command("runserver", f"0.0.0.0:{PORT}"),
            environment=self._environment(),
            port=str(PORT),
            probes=probes(
                self.deployment,
                "http",
                ProbePaths(health.startup_path, health.live_path, health.ready_path),
            ),
            pre_stop=self._pre_stop(),
            cpu=f"{250 * processes}m",
            memory=f"{MEMORY_MIB * processes}Mi",
            most_memory=f"{2 * MEMORY_MIB * processes}Mi",
            fewest=str(fewest),
            most=str(most),
            budget=self._budget(most * processes),
            spread=self._part("spread", part="web"),
            **_shown(self.deployment.metrics),
        )

    def worker(self) -> str:
        timeline = self.deployment.worker
        health = ("--health-host", "0.0.0.0", "--health-port", str(WORKER_PORT))
        return self._filled(
            "worker",
            replicas=str(self.deployment.worker_processes),
            arithmetic=timeline.arithmetic,
            stop_s=str(whole_seconds(timeline.kill_after_s)),
            command=self._command("runworker", *health),
            port=str(WORKER_PORT),
            probes=probes(self.deployment, "health", WORKER_PATHS),
            spread=self._part("spread", part="worker"),
            **_shown(self.deployment.worker_metrics),
        )

    def migrate(self) -> str:
        return self._filled("migrate", command=self._command("migrate"))

    def _pods(self, processes: int) -> tuple[int, int]:
        """Return how many pods there are at least and at most: all that SERVER.processes allows."""
        if self.deployment.processes is None:
            return FEWEST_PODS, FEWEST_PODS * MOST_TIMES
        most = max(FEWEST_PODS, self.deployment.processes // processes)
        return max(FEWEST_PODS, math.ceil(most / MOST_TIMES)), most

    def _environment(self) -> str:
        lines: list[str] = []
        if not self.deployment.workers:
            lines += [
                "  # One process: what is counted here are pods. SERVER.workers comes before it.",
                f'  - {{ name: {CONCURRENCY_VARIABLE}, value: "1" }}',
            ]
        if self.stop is not self.deployment.server and self.stop.pre_stop_s:
            lines += [
                "  # The wait before SIGTERM, below, stands for SERVER.drain_s: once is enough.",
                f'  - {{ name: {PRE_STOP_VARIABLE}, value: "{self.stop.pre_stop_s:g}" }}',
            ]
        return "\n".join(["env:", *lines]) if lines else ""

    def _pre_stop(self) -> str:
        seconds = whole_seconds(self.stop.pre_stop_s)
        if not seconds:
            return ""
        return (
            "# Until no load balancer sends anything here; then SIGTERM. Kubernetes 1.30.\n"
            f"lifecycle:\n  preStop:\n    sleep:\n      seconds: {seconds}"
        )

    def _budget(self, processes: int) -> str:
        each = self.deployment.databases.connections
        if not each:
            return ""
        total = processes * each
        return (
            f"# {processes} processes x {each} connections = {total} of the database, and those\n"
            f"# of the workers. {self._counted(processes)}"
        )

    def _counted(self, processes: int) -> str:
        if self.deployment.processes is None:
            return f"Write SERVER = Server(processes={processes}): checks count with it."
        return "SERVER.processes says how many there may be."

    def _data(self, field: str, *, is_secret: bool) -> str:
        chosen = [each for each in self.deployment.variables if each.is_secret is is_secret]
        if not any(each.is_wanted for each in chosen):
            return "\n".join([f"{field}: {{}}", *_indented(chosen)])
        return "\n".join([f"{field}:", *_indented(chosen)])

    def _command(self, *words: str) -> str:
        return f"[{', '.join(map(json.dumps, self.deployment.command(*words)))}]"

    def _filled(self, kind: str, **values: str) -> str:
        common = {name: self._part(name) for name in ("pod", "container", "volumes")}
        manage = " ".join(self.deployment.manage)
        return self._part(kind, manage=manage, **common, **values)

    def _part(self, name: str, **values: str) -> str:
        known = {
            "name": self.deployment.name,
            "version": self.deployment.version,
            "user": str(USER_ID),
        }
        return fill(template(f"kubernetes-{name}.yaml"), known | values)


def _shown(metrics: Metrics | None) -> Mapping[str, str]:
    return {
        "annotations": metrics.annotations if metrics else "",
        "metrics_port": metrics.container_port if metrics else "",
    }


def _indented(variables: Iterable[Variable]) -> Iterator[str]:
    for variable in sorted(variables, key=lambda each: not each.is_wanted):
        yield f"  # {variable.facts}"
        line = f"{variable.name}: {json.dumps(variable.sample)}"
        yield f"  {line}" if variable.is_wanted else f"  # {line}"
