"""Examination of Redis: whether it answers, how quickly, what it keeps and has room for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Diagnosis, Patient, examination
from .budget import wanted_connections
from .checks import OLDEST
from .inspecting import ServerFacts, inspect_server
from .resources import redis_client
from .settings import Redis

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["redis_is_well"]

SLOW_S: Final = 0.02
FULL: Final = 0.9
MIB: Final = 2**20


@examination(title="Redis", resources=(redis_client,))
async def redis_is_well(patient: Patient) -> AsyncIterator[Diagnosis]:
    """Ask the server of REDIS."""
    config = patient.project.settings.section(Redis)
    limit_s = patient.timeout_s * 0.8
    text, hint = f"{config.target} does not answer within {limit_s:g} s", "see whether it runs"
    try:
        async with asyncio.timeout(limit_s):
            found = await inspect_server(config, now=patient.now)
    except TimeoutError:
        found = None
    if found is not None and found.failure is not None:
        text, hint = found.failure.message, found.failure.hint
    if found is None or found.server is None:
        yield Diagnosis(
            what="server",
            text=text,
            verdict="fail" if config.required else "warn",
            hint=hint,
            stops=config.required,
        )
        return
    for row in _rows(patient.project, found.server, config.target):
        yield row


def _rows(project: Project, server: ServerFacts, target: str) -> Iterator[Diagnosis]:
    is_old = server.release < OLDEST
    cluster = ", a node of a cluster" if server.is_cluster else ""
    yield Diagnosis(
        what="server",
        text=f"Redis {server.version}, {target}{cluster}",
        verdict="fail" if cluster else "warn" if is_old else "ok",
        hint="name a single server" if cluster else "use Redis 6.2 or newer",
    )
    yield Diagnosis(
        what="latency",
        text=f"{server.latency_s * 1000:.2f} ms for the smallest command",
        verdict="warn" if server.latency_s > SLOW_S else "ok",
        hint="let the processes run near the server",
    )
    if server.clock is not None:
        yield server.clock.diagnosis(of="")
    yield _memory(server)
    yield _persistence(server)
    yield from _connections(project, server)


def _memory(server: ServerFacts) -> Diagnosis:
    used = f"{server.used_bytes / MIB:.0f} MiB"
    most = (
        f" of {server.most_bytes / MIB:.0f} MiB" if server.most_bytes else ", no limit of its own"
    )
    is_full = bool(server.most_bytes) and server.used_bytes > FULL * server.most_bytes
    return Diagnosis(
        what="memory",
        text=f"{used}{most}; when it is full: {server.policy or 'unknown'}",
        verdict="warn" if is_full else "ok",
        hint="raise maxmemory, or keep less: soon it deletes, or refuses to write",
    )


def _persistence(server: ServerFacts) -> Diagnosis:
    known = {True: "its data is on disk", False: "nothing is on disk", None: "it does not tell"}
    return Diagnosis(what="persistence", text=known[server.is_persistent])


def _connections(project: Project, server: ServerFacts) -> Iterator[Diagnosis]:
    if server.max_clients is None:
        return
    total, by = wanted_connections(project)
    yield Diagnosis(
        what="connections",
        text=f"{by}; the server takes {server.max_clients} (maxclients), and has {server.clients}",
        verdict="fail" if total > server.max_clients else "ok",
        hint="lower REDIS.max_connections, run fewer processes, or raise maxclients",
    )
