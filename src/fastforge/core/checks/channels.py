"""Channels that are ambiguous, or whose messages do not reach everybody."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..._utils import where_written
from ...channels.carrying.broker import SHARED_HINT, backend_hint
from ...channels.declaring.channel import Channel
from ...channels.declaring.overlaps import OVERLAP_HINT, overlapping, told_of_overlap
from ...channels.kinds import CHANNEL_BACKENDS, CHANNELS
from ...channels.settings import Channels
from ...checks import Level, Message, check
from ...tasks.kinds import TASKS
from ..platforms.launches import launches
from ..processes import servers_of
from ..reach import is_out_of_reach

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "bases_are_derived_from", "channels_differ", "channels_have_a_backend",
    "files_suffice_for_sockets", "messages_reach_everybody",
]  # fmt: skip

OTHER_FILES: Final = 64
"""What a process has open besides sockets: logs, listeners, connections to others."""
OF_A_CHANNEL: Final = frozenset({"Incoming", "Outgoing", "authorize"})
"""What somebody writes who means a channel and no base."""


@check(tags={"channels"})
def channels_differ(project: Project) -> Iterator[Message]:
    """Find two channels that one name may belong to."""
    for one, other in overlapping(project.registry.components(CHANNELS)):
        yield Message(
            id="channels.E008",
            level=Level.ERROR,
            text=told_of_overlap(one.value, other.value),
            hint=OVERLAP_HINT,
            where=other.location,
        )


@check(tags={"channels"})
def bases_are_derived_from(project: Project) -> Iterator[Message]:
    """Find classes that look like channels, have no pattern, and are a base of nothing."""
    channels = project.registry.values(CHANNELS)
    for app in project.apps:
        for base in _bases_in(f"{app.name}.channels"):
            if OF_A_CHANNEL.isdisjoint(vars(base)) or any(issubclass(c, base) for c in channels):
                continue
            yield Message(
                id="channels.W002",
                level=Level.WARNING,
                text=f"{base.__qualname__} has no pattern, so that nobody can join it, and no"
                " channel derives from it",
                hint=f'write class {base.__name__}(Channel, pattern="word:{{name:int}}"), or'
                " derive from it",
                where=where_written(base),
            )


@check(tags={"channels"})
def channels_have_a_backend(project: Project) -> Iterator[Message]:
    """Find channels whose messages nothing carries."""
    name = project.settings.section(Channels).backend
    declared = {backend.name for backend in project.registry.values(CHANNEL_BACKENDS)}
    if name is not None and name not in declared:
        yield Message(
            id="channels.E009",
            level=Level.ERROR,
            text=f"no installed app declares the channel backend {name!r}",
            hint=backend_hint(name, declared),
            where=project.settings.where("CHANNELS"),
        )


@check(tags={"channels"}, deploy=True)
def messages_reach_everybody(project: Project) -> Iterator[Message]:
    """Find channels in memory where several processes serve, or jobs run elsewhere."""
    if not is_out_of_reach(project):
        return
    settings = project.settings
    servers = servers_of(settings)
    where = settings.where("CHANNELS") or settings.where("INSTALLED_APPS")
    # A server of somebody else's starts what its own command says, and tells nobody.
    launch = next((each for each in launches(settings.root) if each.has_workers), None)
    if servers > 1:
        problem = f"{servers} processes serve, and each has channels of its own"
    elif launch is not None:
        problem = f"{launch.server} starts several processes, and each has channels of its own"
        where = launch.where
    elif project.registry.values(TASKS):
        problem = "jobs run in another process, and what they publish is refused"
    else:
        return
    yield Message(
        id="channels.E018",
        level=Level.ERROR,
        text=f"CHANNELS.backend is memory: {problem}",
        hint=SHARED_HINT,
        where=where,
    )


@check(tags={"channels"}, deploy=True)
def files_suffice_for_sockets(project: Project) -> Iterator[Message]:
    """Find a limit of open files that is reached before that of sockets."""
    try:
        import resource  # not on Windows
    except ImportError:
        return
    settings = project.settings
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.section(Channels).max_connections + OTHER_FILES
    is_enough = limit == resource.RLIM_INFINITY or limit >= wanted
    if is_enough or not project.registry.values(CHANNELS):
        return
    yield Message(
        id="channels.W001",
        level=Level.WARNING,
        text=f"a process may open {limit:,} files here, and CHANNELS.max_connections is"
        f" {wanted - OTHER_FILES:,}: what comes after is not accepted, health checks included",
        hint=f"raise the limit to {wanted:,} (ulimit -n, LimitNOFILE of systemd), or lower"
        " max_connections",
        where=settings.where("CHANNELS") or settings.where("INSTALLED_APPS"),
    )


def _bases_in(package: str) -> Iterator[type[Channel]]:
    """Find the classes without a pattern that an app's `channels` defines, which is loaded."""
    loaded = [sys.modules[name] for name in sorted(sys.modules) if _is_in(name, package)]
    for module in loaded:
        for value in vars(module).values():
            is_own = inspect.isclass(value) and value.__module__ == module.__name__
            if is_own and issubclass(value, Channel) and value.pattern is None:
                yield value


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")
