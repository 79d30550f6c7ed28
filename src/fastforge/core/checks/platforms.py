"""What the files that run a project elsewhere say, against what a stop takes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..._utils import counted
from ...checks import Level, Message, check
from ..platforms.limits import KillLimit, kill_limits
from ..platforms.scaling import scales
from ..settings import Server
from ..timeline import Timeline
from .budgets import PRODUCTION

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["platforms_start_as_many_as_are_counted", "platforms_wait_for_a_stop"]


@check(tags={"server"}, deploy=True)
def platforms_wait_for_a_stop(project: Project) -> Iterator[Message]:
    """Find files by which a platform kills a server or worker that is still ending."""
    for limit in kill_limits(project.settings.root):
        stop = _stop(project, limit)
        needed_s = math.ceil(stop.kill_after_s)
        if limit.seconds < needed_s:
            usual = "" if limit.is_written else " unless written"
            yield Message(
                id="deploy.E020",
                level=Level.ERROR,
                text=f"the {limit.part} is killed {limit.seconds:g} s after it was told to stop"
                f" ({limit.name}{usual}), and a stop may take {stop.arithmetic}",
                hint=f"write {needed_s}, or run: manage deploy {limit.platform} --diff",
                where=limit.where,
            )


@check(tags={"server"}, deploy=True)
def platforms_start_as_many_as_are_counted(project: Project) -> Iterator[Message]:
    """Find manifests by which more processes may serve than connections are counted for."""
    server = project.settings.section(Server)
    for scale in scales(project.settings.root):
        each = server.workers or scale.processes
        if each is None or scale.pods * each <= (server.processes or 0):
            continue
        most = scale.pods * each
        known = f"for {server.processes}" if server.processes else "for those of one host"
        yield Message(
            id="deploy.W021",
            level=Level.WARNING,
            text=f"{scale.pods} pods x {counted(each, 'process', 'processes')} = {most}"
            f" may serve, and connections are counted {known} (SERVER.processes)",
            hint=f"write SERVER = Server(processes={most}), or let there be fewer pods",
            where=scale.where,
        )


def _stop(project: Project, limit: KillLimit) -> Timeline:
    if limit.part == "worker":
        return replace(Timeline.of_worker(project), pre_stop_s=limit.pre_stop_s)
    stop = Timeline.of_server(project, environment=PRODUCTION)
    drain_s = stop.drain_s if limit.drains else 0
    return replace(stop, pre_stop_s=limit.pre_stop_s, drain_s=drain_s)
