"""systemd: the units of a project on a host of its own, without containers."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...scaffold.filling import fill
from ...scaffold.image import PORT
from .deployment import Deployment, driver_steps, whole_seconds
from .metrics import Metrics
from .samples import environment_file
from .templates import template

__all__ = ["next_steps", "systemd_files"]


def systemd_files(deployment: Deployment, folder: Path) -> Mapping[str, str]:
    """Return the units by their names, and a sample of the variables that they read.

    The project is expected in `/srv/NAME`, with its environment in `.venv` there.

    Args:
        deployment: The project.
        folder: Where the files are to stand.
    """
    units = _Units(deployment)
    files = {
        f"{deployment.name}-web.socket": units.socket(),
        f"{deployment.name}-web.service": units.web(),
    }
    if deployment.has_worker:
        files[f"{deployment.name}-worker@.service"] = units.worker()
    if deployment.databases.scheme:
        files[f"{deployment.name}-migrate.service"] = units.migrate()
    return files | {"production.env.example": environment_file(deployment, "deploy systemd")}


def next_steps(deployment: Deployment, folder: Path) -> Iterator[str]:
    """Yield what to type when the files are there, on the host that has the project."""
    yield from driver_steps(deployment)
    name, here = deployment.name, shlex.quote(os.path.relpath(folder))
    yield f"sudo useradd --system --home-dir /var/lib/{name} {name}"
    yield f"sudo install -D --mode 600 {here}/production.env.example /etc/{name}/production.env"
    yield f"sudoedit /etc/{name}/production.env"
    yield f"sudo cp {here}/{name}-* /etc/systemd/system/"
    yield "sudo systemctl daemon-reload"
    if deployment.databases.scheme:
        yield f"sudo systemctl start {name}-migrate"
    yield f"sudo systemctl enable --now {name}-web.socket {name}-web"
    if deployment.has_worker:
        numbers = ",".join(map(str, range(1, deployment.worker_processes + 1)))
        instances = f"{{{numbers}}}" if "," in numbers else numbers
        yield f"sudo systemctl enable --now {name}-worker@{instances}"


class _Units:
    """The units of one project, as text."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    def socket(self) -> str:
        return self._filled("web.socket", port=str(PORT))

    def web(self) -> str:
        timeline = self.deployment.without_pre_stop
        pause = whole_seconds(self.deployment.server.pre_stop_s)
        return self._filled(
            "web.service",
            serve=self._command("runserver", f"127.0.0.1:{PORT}"),
            reload=self._reload(),
            metrics=_place(self.deployment.metrics),
            pre_stop=f"ExecStop=sleep {pause}" if pause else "",
            arithmetic=timeline.arithmetic,
            stop_s=str(whole_seconds(timeline.kill_after_s)),
        )

    def worker(self) -> str:
        timeline = self.deployment.worker
        return self._filled(
            "worker.service",
            work=self._command("runworker"),
            metrics=_place(self.deployment.worker_metrics),
            arithmetic=timeline.arithmetic,
            stop_s=str(whole_seconds(timeline.kill_after_s)),
        )

    def migrate(self) -> str:
        return self._filled("migrate.service", migrate=self._command("migrate"))

    def _reload(self) -> str:
        if not self.deployment.has_manager:
            return ""
        return (
            "# New code without a pause: the manager of its processes replaces them.\n"
            "ExecReload=kill -HUP $MAINPID"
        )

    def _command(self, *words: str) -> str:
        _, *rest = self.deployment.command(*words)
        return " ".join([f"/srv/{self.deployment.name}/.venv/bin/python", *rest])

    def _filled(self, unit: str, **values: str) -> str:
        module = self.deployment.settings_module
        known = {"name": self.deployment.name, "package": self.deployment.package}
        settings = f"Environment=FASTFORGE_SETTINGS_MODULE={module}" if module else ""
        common = fill(template("systemd-common"), {**known, "settings": settings})
        parts = {
            "manage": " ".join(self.deployment.manage),
            "common": common,
            "hardening": fill(template("systemd-hardening"), {}),
        }
        return fill(template(f"systemd-{unit}"), {**known, **parts, **values})


def _place(metrics: Metrics | None) -> str:
    return metrics.place if metrics else ""
