"""Rules: which limits hold for whom, and how a request is counted by one."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from starlette.requests import HTTPConnection
from starlette.types import Scope

from ..._utils import did_you_mean
from ...components import Registry
from ...exceptions import ForgeError
from ...middleware.line import route_template
from ...web.callers import Caller
from ...web.errors.handlers import status_of
from ...web.kinds import CALLERS
from .addresses import address_of
from .counters import Counters, Taken, WhenAway
from .errors import RateLimitError
from .limits import Limit

__all__ = ["ADDRESS", "By", "Rule", "by_hint", "callers_of"]

ADDRESS: Final = "address"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

Ask: TypeAlias = Callable[[HTTPConnection], str | Awaitable[str | None] | None]
By: TypeAlias = str | Ask
"""Whose requests are counted together: `address`, the name of a caller, or what tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which limits hold for whom.

    Args:
        limits: The shortest first.
        by: Whose requests are counted together.
        name: What else they have in common; the route's own unless given.
        when_away: What holds while nobody can count for all processes; None: by the method.
    """

    limits: tuple[Limit, ...]
    by: By = ADDRESS
    name: str = ""
    when_away: WhenAway | None = None

    @property
    def word(self) -> str:
        """What the limits go by, in a word."""
        return self.by if isinstance(self.by, str) else getattr(self.by, "__name__", "caller")

    async def take(
        self, counters: Counters, registry: Registry, connection: HTTPConnection
    ) -> Taken:
        """Count a request or socket.

        Raises:
            RateLimitError: `by` names a caller that no installed app declares.
        """
        who = await self._who(registry, connection)
        if who is None:
            return Taken()
        if who[0] == ADDRESS:
            counters.doubt(connection.headers)
        scope = connection.scope
        return await counters.take(
            self.limits,
            self.name or _route(scope),
            *who,
            by=self.word,
            name=self.name,
            when_away=self.when_away or _when_away(scope),
        )

    async def _who(self, registry: Registry, connection: HTTPConnection) -> tuple[str, str] | None:
        if callable(self.by):
            told = self.by(connection)
            who = await told if inspect.isawaitable(told) else told
            return None if who is None else (self.word, who)
        if self.by != ADDRESS:
            who = await _identified(_caller(registry, self.by), connection)
            if who is not None:
                return self.by, who
        address = address_of(connection)
        return None if address is None else (ADDRESS, address)


async def _identified(caller: Caller, connection: HTTPConnection) -> str | None:
    """Return who asks; nobody where the client's credentials are worth nothing."""
    try:
        return await caller.identify(connection)
    except ForgeError as error:
        if (status_of(error) or 500) < 500:
            return None  # the route itself says so, where it minds
        raise


def callers_of(registry: Registry) -> tuple[str, ...]:
    """Return what `by` may name."""
    return (ADDRESS, *(caller.name for caller in registry.values(CALLERS)))


def _caller(registry: Registry, name: str) -> Caller:
    for caller in registry.values(CALLERS):
        if caller.name == name:
            return caller
    raise RateLimitError(
        f"a rate limit goes by {name!r}, which no installed app can tell",
        code="ratelimit.E003",
        hint=by_hint(registry, name),
    )


def by_hint(registry: Registry, name: str) -> str:
    """Return what to do about a caller that nobody declares."""
    if name in ("user", "key"):
        return 'add "fastforge.contrib.auth" to INSTALLED_APPS'
    known = callers_of(registry)
    return did_you_mean(name, known) or f"there is {', '.join(known)}; declare one with @caller"


def _when_away(scope: Scope) -> WhenAway:
    return "pass" if scope.get("method") in SAFE_METHODS else "count_here"


def _route(scope: Scope) -> str:
    method = scope.get("method", "socket")
    return f"{'GET' if method == 'HEAD' else method} {route_template(scope) or scope['path']}"
