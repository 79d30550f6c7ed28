"""Compose: the project with its PostgreSQL and its Redis on one host."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ...exceptions import CommandError
from ...scaffold.filling import fill
from ...scaffold.image import PORT, health_check
from .deployment import Deployment, driver_steps, whole_seconds
from .metrics import Metrics
from .samples import environment_file
from .templates import template

__all__ = ["WORKER_PORT", "compose_files", "image_steps", "next_steps", "refuse_files"]

WORKER_PORT: Final = 8001
"""Where a worker is asked how it is."""

_PASSWORD: Final = "${POSTGRES_PASSWORD:?write it into production.env and give --env-file}"
_ASK: Final = (
    '# Letters and digits; make one: python -c "import secrets; print(secrets.token_hex(24))"'
)


def compose_files(deployment: Deployment, folder: Path) -> Mapping[str, str]:
    """Return the file for Compose, and a sample of the variables that it asks for.

    PostgreSQL and Redis are part of it where a variable of the settings can lead there.

    Args:
        deployment: The project.
        folder: Where the files are to stand.

    Raises:
        CommandError: The settings name a SQLite file, which a container would lose.
    """
    refuse_files(deployment)
    services = _Services(deployment)
    names = [name for name, is_kept in services.volumes.items() if is_kept]
    volumes = "\n".join(["volumes:", *(f"  {name}:" for name in names)]) if names else ""
    build = os.path.relpath(deployment.root, folder)
    values = {
        "manage": " ".join(deployment.manage),
        "name": deployment.name,
        "version": deployment.version,
        "build": build if build == "." else json.dumps(build),
        "environment": services.environment,
        "services": "\n\n".join(services.texts()),
        "volumes": volumes,
    }
    given = {*services.given}
    asked = [f"{_ASK}\nPOSTGRES_PASSWORD="] if services.has_postgres else []
    sample = environment_file(deployment, "deploy compose", without=given, first=asked)
    text = fill(template("compose.yaml"), values)
    return {"compose.yaml": text, "production.env.example": sample}


def next_steps(deployment: Deployment, folder: Path) -> Iterator[str]:
    """Yield what to type when the files are there."""
    yield from image_steps(deployment)
    here = os.path.relpath(folder)
    if here != ".":
        yield f"cd {shlex.quote(here)}"
    yield "cp production.env.example production.env"
    yield "docker compose --env-file production.env up --build --detach"


def image_steps(deployment: Deployment) -> Iterator[str]:
    """Yield what the project lacks to be run in a container."""
    yield from driver_steps(deployment)
    if not (deployment.root / "Dockerfile").is_file():
        yield " ".join(deployment.command("deploy", "docker"))


def refuse_files(deployment: Deployment) -> None:
    """Refuse a database that a container would lose and no other one would see.

    Raises:
        CommandError: The settings name a SQLite file.
    """
    if deployment.databases.file:
        raise CommandError(
            "the database is a SQLite file, which a container would lose and others do not see",
            code="deploy.E002",
            hint='let a variable say it: Database(url=env("DATABASE_URL", default="sqlite+..."))',
            where=deployment.databases.file,
        )


class _Services:
    """The services that a project needs, as text."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.has_postgres = bool(deployment.databases.variables)
        self.has_redis = bool(deployment.redis_variables)
        self.volumes = {
            "postgres": self.has_postgres,
            "redis": self.has_redis and deployment.keeps_jobs_in_redis,
        }

    @property
    def given(self) -> Mapping[str, str]:
        """The variables that lead to services of the file itself, with their values."""
        name = self.deployment.database
        scheme = self.deployment.databases.scheme
        # Nothing leaves the host between containers of one network: there is no certificate.
        no_tls = f"{'ssl' if scheme.endswith('asyncpg') else 'sslmode'}=disable"
        address = f"{scheme}://{name}:{_PASSWORD}@postgres:5432/{name}?{no_tls}"
        return {
            **dict.fromkeys(self.deployment.databases.variables, address),
            **dict.fromkeys(self.deployment.redis_variables, "redis://redis:6379/0"),
        }

    @property
    def environment(self) -> str:
        lines = [f"  {name}: {json.dumps(value)}" for name, value in self.given.items()]
        return "\n".join(["environment:", *lines]) if lines else ""

    def texts(self) -> Iterator[str]:
        yield self._web()
        if self.deployment.has_worker:
            yield self._worker()
        if self.deployment.databases.scheme:
            yield self._filled(
                "migrate", command=self._command("migrate"), depends_on=self._needs()
            )
        if self.has_postgres:
            name = self.deployment.database
            yield self._filled("postgres", database=name, password=json.dumps(_PASSWORD))
        if self.has_redis:
            yield self._filled("redis", keeping=self._keeping())

    def _web(self) -> str:
        timeline = self.deployment.without_pre_stop
        return self._filled(
            "web",
            port=str(PORT),
            metrics=_exposed(self.deployment.metrics),
            depends_on=self._needs(migrated=True),
            health_check=self._health_check(PORT, self.deployment.health.ready_path),
            arithmetic=timeline.arithmetic,
            stop_s=str(whole_seconds(timeline.kill_after_s)),
        )

    def _worker(self) -> str:
        timeline = self.deployment.worker
        count = self.deployment.worker_processes
        return self._filled(
            "worker",
            command=self._command("runworker", "--health-port", str(WORKER_PORT)),
            metrics=_exposed(self.deployment.worker_metrics),
            depends_on=self._needs(migrated=True),
            health_check=self._health_check(WORKER_PORT, "/readyz"),
            arithmetic=timeline.arithmetic,
            stop_s=str(whole_seconds(timeline.kill_after_s)),
            replicas=f"scale: {count}" if count > 1 else "",
        )

    def _needs(self, *, migrated: bool = False) -> str:
        """Return what has to be there first."""
        needed = {
            "postgres": ("service_healthy", self.has_postgres),
            "redis": ("service_healthy", self.has_redis),
            "migrate": (
                "service_completed_successfully",
                migrated and bool(self.deployment.databases.scheme),
            ),
        }
        lines = [
            f"  {name}: {{ condition: {condition} }}"
            for name, (condition, is_needed) in needed.items()
            if is_needed
        ]
        return "\n".join(["depends_on:", *lines]) if lines else ""

    def _health_check(self, port: int, path: str) -> str:
        if not path:
            return ""
        *words, program = health_check(port, path)
        return "\n".join(
            [
                "healthcheck:",
                f"  test: [CMD, {', '.join(words)}, {json.dumps(program)}]",
                "  interval: 5s",
                "  timeout: 3s",
                f"  start_period: {self.deployment.start_s}s",
            ]
        )

    def _keeping(self) -> str:
        if self.deployment.keeps_jobs_in_redis:
            return (
                "# It keeps jobs: on its disk, and none is thrown out for want of memory.\n"
                "command: [redis-server, --appendonly, 'yes', --maxmemory-policy, noeviction]\n"
                'volumes: ["redis:/data"]'
            )
        return "command: [redis-server, --save, '', --appendonly, 'no']"

    def _command(self, *words: str) -> str:
        return f"[{', '.join(map(json.dumps, self.deployment.command(*words)))}]"

    def _filled(self, service: str, **values: str) -> str:
        return fill(template(f"compose-{service}.yaml"), values).rstrip("\n")


def _exposed(metrics: Metrics | None) -> str:
    return metrics.expose if metrics else ""
