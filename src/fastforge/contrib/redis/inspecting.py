"""Inspecting: what the Redis server of a project says of itself, asked once in a run of checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...checks.runner import once_a_run
from ...exceptions import ForgeError
from .client import open_client
from .library import Client, exceptions
from .settings import Redis
from .unavailable import unavailable

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["Inspected", "ServerFacts", "inspect_redis"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What a server says.

    Attributes:
        version: Its release.
        is_cluster: Whether it is a node of a cluster.
        max_clients: How many connections it takes; None where it does not tell.
        eviction: What it deletes when its memory is full; empty for nothing.
        is_persistent: Whether it keeps its data on disk; None where it does not tell.
    """

    version: str
    is_cluster: bool
    max_clients: int | None
    eviction: str
    is_persistent: bool | None

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
        known.append(await _inspected(project.settings.section(Redis)))
    return known[0]


@once_a_run
def _known(_project: Project) -> list[Inspected]:
    return []


async def _inspected(config: Redis) -> Inspected:
    client = open_client(config, max_connections=1, retries=0)
    try:
        return Inspected(config=config, server=await _ask(client))
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
    )


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
