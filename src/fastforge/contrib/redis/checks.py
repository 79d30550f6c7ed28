"""Checks of REDIS, and of what the server says: those connect, and run with `--redis` alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from ...checks import Level, Message, check
from ...checks.nearness import is_near
from ...core.settings import Server
from ...tasks.settings import Tasks
from ...tasks.working import has_work
from .settings import Redis

if TYPE_CHECKING:
    from ...project import Project
    from .inspecting import ServerFacts

__all__ = [
    "channels_may_be_heard",
    "nobody_else_gets_in",
    "redis_answers",
    "redis_connections_are_enough",
    "requests_do_not_wait",
    "users_find_connections",
]

OLDEST: Final = (6, 2)
LONGEST_WAIT_S: Final = 5
USERS_PER_CONNECTION: Final = 20
"""A connection is taken for one command at a time, and given back after it."""


@check(tags={"redis", "server"}, deploy=True)
def users_find_connections(project: Project) -> Iterator[Message]:
    """Warn of a pool that is small for the jobs or the requests that share it."""
    settings = project.settings
    config = settings.section(Redis)
    tasks, limit = settings.section(Tasks), settings.section(Server).concurrency_limit
    users = {"requests (SERVER.concurrency_limit)": limit or 0}
    if has_work(project.registry, settings):
        users["jobs of a worker (TASKS.concurrency)"] = tasks.concurrency
    for noun, number in users.items():
        if number > USERS_PER_CONNECTION * config.max_connections:
            yield Message(
                id="redis.W001",
                level=Level.WARNING,
                text=f"{number:,} {noun} share REDIS.max_connections"
                f" {config.max_connections}: who waits for one longer than"
                f" {config.read_timeout_s:g} s (read_timeout_s) is told that Redis is away",
                hint="raise max_connections, or let fewer run at the same time",
                where=settings.where("REDIS"),
            )


@check(tags={"redis", "security"}, deploy=True)
def nobody_else_gets_in(project: Project) -> Iterator[Message]:
    """Find a Redis outside that everybody can use, or read on the way."""
    parts = urlsplit(project.settings.section(Redis).url)
    where = project.settings.where("REDIS")
    host = parts.hostname or ""
    if not is_near(host) and not parts.password:
        yield Message(
            id="redis.W002",
            level=Level.WARNING,
            text=f"REDIS.url has no password for {host}: whoever reaches it has what is in it",
            hint="write redis://user:password@host, and give Redis a user for this project",
            where=where,
        )
    if not is_near(host) and parts.scheme == "redis":
        yield Message(
            id="redis.W003",
            level=Level.WARNING,
            text=f"what goes to {host} is not encrypted (REDIS.url): passwords, jobs and what is"
            " cached can be read on the way",
            hint="write rediss://",
            where=where,
        )
    if dict(parse_qsl(parts.query)).get("ssl_cert_reqs") == "none":
        yield Message(
            id="redis.W004",
            level=Level.WARNING,
            text="REDIS.url takes every certificate (ssl_cert_reqs=none): whoever sits in between"
            " can be Redis",
            hint="leave it out, and name your authority with ssl_ca_certs",
            where=where,
        )


@check(tags={"redis"}, deploy=True)
def requests_do_not_wait(project: Project) -> Iterator[Message]:
    """Find limits so high that a Redis that is away holds up every request."""
    config = project.settings.section(Redis)
    together_s = config.connect_timeout_s + config.read_timeout_s
    if together_s > LONGEST_WAIT_S:
        yield Message(
            id="redis.W005",
            level=Level.WARNING,
            text=f"who asks a Redis that is away waits for {config.connect_timeout_s:g}"
            f" connect_timeout_s + {config.read_timeout_s:g} read_timeout_s = {together_s:g} s",
            hint="leave them at 1: what takes longer is no cache",
            where=project.settings.where("REDIS"),
        )


@check(connects="redis", tags={"redis"})
async def redis_answers(project: Project) -> AsyncIterator[Message]:
    """Find a server that does not answer, is too old, or is one of a cluster; say what it is."""
    from .inspecting import inspect_redis  # redis-py, for the few who ask

    found = await inspect_redis(project)
    where = project.settings.where("REDIS")
    if found.failure is not None:
        yield Message(
            id="redis.E010",
            level=Level.ERROR,
            text=found.failure.message,
            hint=found.failure.hint,
            where=where,
        )
    if found.server is not None:
        for message in _of_server(found.server, found.config.target):
            yield replace(message, where=where)


def _of_server(server: ServerFacts, target: str) -> Iterator[Message]:
    yield Message(id="redis.I010", level=Level.INFO, text=f"Redis {server.version}, {target}")
    if server.release < OLDEST:
        yield Message(
            id="redis.W010",
            level=Level.WARNING,
            text=f"the server is Redis {server.version}, and fastforge is made for 6.2 and newer",
            hint="use a newer one: older ones get no more fixes, and below 6.0 they know neither"
            " users nor TLS",
        )
    if server.is_cluster:
        yield Message(
            id="redis.E011",
            level=Level.ERROR,
            text=f"{target} is a node of a cluster, which answers for a part of the keys alone",
            hint="name a single server, or one that stands for a primary and its replicas: the"
            " client follows no redirections, and the scripts of jobs use keys of all parts",
        )


@check(connects="redis", tags={"redis", "channels"})
async def channels_may_be_heard(project: Project) -> AsyncIterator[Message]:
    """Find a user of Redis that may not publish in channels, or not hear what is published."""
    from .permissions import carries_channels, lacking

    if carries_channels(project) and (found := await lacking(project)):
        text, hint = found
        yield Message(
            id="redis.E013",
            level=Level.ERROR,
            text=text,
            hint=hint,
            where=project.settings.where("REDIS"),
        )


@check(connects="redis", tags={"redis"})
async def redis_connections_are_enough(project: Project) -> AsyncIterator[Message]:
    """Find pools that together are larger than what the server takes."""
    from .budget import wanted_connections
    from .inspecting import inspect_redis

    server = (await inspect_redis(project)).server
    if server is None or server.max_clients is None:
        return
    total, by = wanted_connections(project)
    limit = f"and the server takes {server.max_clients} (maxclients)"
    where = project.settings.where("REDIS")
    if total > server.max_clients:
        yield Message(
            id="redis.E012",
            level=Level.ERROR,
            text=f"too many connections to Redis: {by}, {limit}",
            hint="lower REDIS.max_connections, run fewer processes, or raise maxclients",
            where=where,
        )
    else:
        yield Message(
            id="redis.I011",
            level=Level.INFO,
            text=f"the connections to Redis suffice: {by}, {limit}",
            where=where,
        )
