"""Plan: what TELEMETRY, the environment and the project come to for one process."""

from __future__ import annotations

import os
import re
import secrets
import socket
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from ...conf import Settings
from ...exceptions import SettingsError
from .settings import Telemetry
from .variables import Told, told_by

__all__ = ["Plan", "plan_of", "plan_or_refuse", "resource_attributes"]

_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t -~]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is sent, how much of it and where to.

    Args:
        config: TELEMETRY, with what the environment says where it says nothing.
        told: What the environment says.
        sample_ratio: How much is recorded of what nobody else has decided about.
        traces_url: Where spans go; empty: nowhere.
        metrics_url: Where metrics go; empty: nowhere.
    """

    config: Telemetry
    told: Told
    sample_ratio: float
    traces_url: str
    metrics_url: str

    @property
    def is_wanted(self) -> bool:
        """Whether anything is sent."""
        return bool(self.traces_url or self.metrics_url)


def plan_of(settings: Settings, environ: Mapping[str, str] | None = None) -> Plan:
    """Return the plan of a project.

    Args:
        settings: The project's settings.
        environ: The environment variables; those of this process unless given.
    """
    written = settings.section(Telemetry)
    told = told_by(os.environ if environ is None else environ, written)
    values: dict[str, Any] = {**told.values}
    if "attributes" in values:
        values["attributes"] = {**values["attributes"], **written.attributes}
    config = written.model_copy(update=values)
    ratio = config.sample_ratio
    if ratio is None:
        ratio = config.defaults_in(settings.environment)["sample_ratio"]
    return Plan(
        config=config,
        told=told,
        sample_ratio=ratio,
        traces_url=_url("traces", config, told) if config.traces else "",
        metrics_url=_url("metrics", config, told) if config.metrics else "",
    )


def plan_or_refuse(settings: Settings) -> Plan:
    """Return the plan of a project.

    Raises:
        SettingsError: A variable and TELEMETRY contradict each other, one cannot be followed, or
            a header is none.
    """
    plan = plan_of(settings)
    for name, value in plan.config.headers.items():
        # Else the library that sends it says so, with the whole value, in each line of the log.
        if not (_HEADER.fullmatch(name) and _VALUE.fullmatch(value)):
            raise SettingsError(
                f"the header {name!r} of TELEMETRY.headers has a line break, or another character"
                " that no header has",
                code="telemetry.E002",
                hint="see how its secret is written: a file often ends with a line break",
                where=settings.where("TELEMETRY"),
            )
    for fault in plan.told.faults:
        if not fault.is_unread:
            raise SettingsError(
                f"the variable {fault.variable}: {fault.reason}",
                code="telemetry.E001",
                hint=fault.hint,
                where=settings.where("TELEMETRY"),
            )
    return plan


def _url(signal: str, config: Telemetry, told: Told) -> str:
    if told.is_disabled:
        return ""
    own = told.endpoints.get(signal, "")
    if own or not config.endpoint:
        return own
    return f"{config.endpoint.removesuffix('/')}/v1/{signal}"


def resource_attributes(plan: Plan, settings: Settings) -> dict[str, str]:
    """Return what is known of this process, by OpenTelemetry's names."""
    config = plan.config
    package = settings.module.partition(".")[0]
    number = secrets.token_hex(4)  # ids of processes come again, and containers begin with 1
    attributes = {
        "service.name": config.service_name or package,
        "service.version": config.service_version or _version(settings.root, package),
        "service.instance.id": config.instance or f"{socket.gethostname()}:{os.getpid()}:{number}",
        "deployment.environment.name": config.deployment or settings.environment,
        "process.pid": str(os.getpid()),
        **config.attributes,
    }
    return {name: value for name, value in attributes.items() if value}


def _version(root: Path, package: str) -> str:
    with suppress(OSError, tomllib.TOMLDecodeError):
        project = tomllib.loads((root / "pyproject.toml").read_text()).get("project", {})
        if isinstance(written := project.get("version"), str):
            return written
    with suppress(PackageNotFoundError):
        return version(package)
    return ""
