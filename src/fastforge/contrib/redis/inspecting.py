"""Inspecting: what the Redis server of a project says of itself, asked once in a run of checks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ...checks.clock import ClockReading
from ...checks.runner import once_a_run
from ...exceptions import ForgeError
from .client import open_client
from .library import Client, exceptions
from .settings import Redis
from .unavailable import unavailable

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["Inspected", "ServerFacts", "inspect_redis", "inspect_server"]

TIMES: Final = 3
"""The quickest of so many answers is the distance; the others may have waited for something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What a server says.

    Attributes:
        version: Its release.
        is_cluster: Whether it is a node of a cluster.
        max_clients: How many connections it takes; None where it does not tell.
        eviction: What it deletes when its memory is full; empty for nothing.
        is_persistent: Whether it keeps its data on disk; None where it does not tell.
        policy: What it does when its memory is full, by its own name.
        used_bytes: How much memory its data takes.
        most_bytes: How much it may take; 0 for no limit of its own.
        clients: How many connections it has.
        latency_s: How long the smallest command takes, in seconds.
        clock: What its clock says.
    """

    version: str
    is_cluster: bool
    max_clients: int | None
    eviction: str
    is_persistent: bool | None
    policy: str = ""
    used_bytes: int = 0
    most_bytes: int = 0
    clients: int = 0
    latency_s: float = 0
    clock: ClockReading | None = None

    @property
    def release(self) -> tuple[int, ...]:
        """The version as numbers."""
        return tuple(int(part) for part in self.version.split(".") if part.isdecimal())


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """The server of REDIS.

    Attributes:
        config: The section.
        server: What it says; None for one that does not answer.
        failure: Why it does not answer.
    """

    config: Redis
    server: ServerFacts | None = None
    failure: ForgeError | None = None


async def inspect_redis(project: Project) -> Inspected:
    """Return what the server says; it is asked once in a run of checks."""
    known = _known(project)
    if not known:
        known.append(await inspect_server(project.settings.section(Redis)))
    return known[0]


@once_a_run
def _known(_project: Project) -> list[Inspected]:
    return []


async def inspect_server(config: Redis, *, now: Callable[[], float] | None = None) -> Inspected:
    """Connect to the server of a section, return what it says, and close the connection.

    Args:
        config: The section.
        now: The clock to compare its own with; without one neither that nor its speed is asked.
    """
    client = open_client(config, max_connections=1, retries=0)
    try:
        server = await _ask(client)
        return Inspected(config=config, server=await _measured(client, server, now))
    except (exceptions.RedisError, OSError) as error:
        return Inspected(config=config, failure=unavailable(config, error))
    finally:
        await client.aclose()


async def _ask(client: Client) -> ServerFacts:
    info: Mapping[str, Any] = await client.info()
    told = {
        name: await _setting(client, name) for name in ("maxclients", "maxmemory-policy", "save")
    }
    policy = str(info.get("maxmemory_policy") or told["maxmemory-policy"] or "")
    limit = told["maxclients"] or info.get("maxclients")
    return ServerFacts(
        version=str(info["redis_version"]),
        is_cluster=bool(info.get("cluster_enabled")),
        max_clients=None if limit is None else int(limit),
        eviction=policy if int(info.get("maxmemory", 0)) and policy != "noeviction" else "",
        is_persistent=True if info.get("aof_enabled") else _bool(told["save"]),
        policy=policy,
        used_bytes=int(info.get("used_memory", 0)),
        most_bytes=int(info.get("maxmemory", 0)),
        clients=int(info.get("connected_clients", 0)),
    )


async def _measured(
    client: Client, server: ServerFacts, now: Callable[[], float] | None
) -> ServerFacts:
    if now is None:
        return server
    latencies: list[float] = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        await client.ping()
        latencies.append(time.perf_counter() - begun)
    asked_at = now()
    seconds, microseconds = await client.time()
    said = int(seconds) + int(microseconds) / 1_000_000
    clock = ClockReading.between(asked_at, said, now())
    return replace(server, latency_s=min(latencies), clock=clock)


async def _setting(client: Client, name: str) -> str | None:
    """Return a setting of the server, or None: whoever hosts it may keep it to themselves."""
    try:
        found: Mapping[bytes, bytes] = await client.config_get(name)
    except exceptions.ResponseError:
        return None
    values: list[Any] = list(found.values())
    return (values[0].decode() if isinstance(values[0], bytes) else values[0]) if values else None


def _bool(value: str | None) -> bool | None:
    return None if value is None else bool(value.strip())
