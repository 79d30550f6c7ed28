"""Limits: after how many seconds the files of a project have it killed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ...exceptions import Location
from ..settings import PRE_STOP_VARIABLE
from .files import PlatformFile, platform_files, uncommented

__all__ = ["KillLimit", "kill_limits"]

UNITS: Final = {"ms": 0.001, "s": 1, "sec": 1, "": 1, "m": 60, "min": 60, "h": 3600}
LENGTH: Final = re.compile(r"([\d.]+)\s*(ms|min|sec|s|m|h)?")
WORKLOAD: Final = re.compile(r"^kind:\s*[\"']?(?:Deployment|StatefulSet)\b", re.MULTILINE)
PRE_STOP: Final = re.compile(
    r"preStop:[\s{]*(?:sleep:[\s{]*seconds:\s*|exec:.*?sleep[\s\"',-]+)(\d+)", re.DOTALL
)
SERVICES: Final = re.compile(r"^services:[^\n]*\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
SERVICE: Final = re.compile(r"^( +)([\w.-]+):[^\n]*\n((?:\1 [^\n]*\n|\s*\n)*)", re.MULTILINE)
DEVELOPMENT: Final = re.compile(r"FASTFORGE_ENV\W+(?:value\W+)?(?:development|test)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class KillLimit:
    """When a platform kills one part of a project.

    Args:
        part: Which: the server, or a worker.
        seconds: How long after it was told to stop; from the beginning of the pre-stop wait, where
            that counts.
        name: What the platform calls it.
        is_written: Whether it stands there; else it is what the platform does by itself.
        platform: What `manage deploy` calls the platform.
        where: Where it is written, or would be.
        pre_stop_s: How long the platform waits before SIGTERM within that time.
        drains: Whether the server drains after it.
    """

    part: Literal["server", "worker"]
    seconds: float
    name: str
    is_written: bool
    platform: str
    where: Location
    pre_stop_s: float = 0
    drains: bool = True


def kill_limits(root: Path) -> Iterator[KillLimit]:
    """Yield the limits that a project's files have for `manage runserver` and `runworker`."""
    for file in platform_files(root):
        if file.path.suffix == ".service":
            yield from _limit(file, 0, file.text, "systemd", "TimeoutStopSec", 90)
        elif "compose" in file.path.name:
            yield from _of_compose(file, root)
        elif file.path.suffix in (".yaml", ".yml"):
            yield from _of_kubernetes(file)


def _of_kubernetes(file: PlatformFile) -> Iterator[KillLimit]:
    offset = 0
    for text in re.split(r"(?<=\n)(?=---)", file.text):
        if WORKLOAD.search(text):
            name = "terminationGracePeriodSeconds"
            yield from _limit(file, offset, text, "kubernetes", name, 30)
        offset += len(text)


def _of_compose(file: PlatformFile, root: Path) -> Iterator[KillLimit]:
    for services in SERVICES.finditer(file.text):
        for service in SERVICE.finditer(services[1] + "\n"):
            text, offset = service[3], services.start(1) + service.start(3)
            if not re.search(r"^\s+(command|entrypoint|image):", text, re.MULTILINE):
                text += _image_command(root)  # what it starts is what the image says
            yield from _limit(file, offset, text, "compose", "stop_grace_period", 10)


def _image_command(root: Path) -> str:
    try:
        text = (root / "Dockerfile").read_text("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(re.findall(r"^(?:CMD|ENTRYPOINT).*", text, re.MULTILINE))


def _limit(
    file: PlatformFile, offset: int, text: str, platform: str, name: str, usual_s: float
) -> Iterator[KillLimit]:
    """Yield the limit that a piece of a file has, where it says what it runs."""
    text = uncommented(text)
    part = _part(text)
    written = re.search(rf"^\s*{name}\s*[:=]\s*[\"']?([^\n\"'#]+)", text, re.MULTILINE)
    seconds = _seconds(written[1]) if written else usual_s
    if part is None or seconds is None:
        return
    pause = PRE_STOP.search(text)
    yield KillLimit(
        part=part,
        seconds=seconds,
        name=name,
        is_written=written is not None,
        platform=platform,
        where=file.at(offset + (written.start(1) if written else 0)),
        pre_stop_s=float(pause[1]) if pause else 0,
        drains=PRE_STOP_VARIABLE not in text,
    )


def _part(text: str) -> Literal["server", "worker"] | None:
    """Return what a piece of a file runs in production."""
    if DEVELOPMENT.search(text):
        return None
    if re.search(r"\brunworker\b", text):
        return "worker"
    return "server" if re.search(r"\brunserver\b", text) else None


def _seconds(text: str) -> float | None:
    """Return a length of time as platforms write it: `90`, `1m30s`, `1min 30s`; None: for ever."""
    found = LENGTH.findall(text)
    return sum(float(number) * UNITS[unit] for number, unit in found) if found else None
