"""Dependencies: `rate_limit`, for routes, routers and sockets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from fastapi import Depends
from starlette.requests import HTTPConnection

from ...exceptions import Location
from ...lifecycle import current_container
from .counters import WhenAway
from .errors import RateLimitError
from .limits import Limit, limits_of
from .resources import rate_counters
from .rules import ADDRESS, By, Rule
from .settings import NOTATION
from .tally import tally_of

__all__ = ["rate_limit", "rule_of"]

_RULE: Final = "_fastforge_rate_rule"


def rate_limit(
    limits: str,
    /,
    *,
    by: By = ADDRESS,
    name: str = "",
    when_away: WhenAway | None = None,
) -> Any:
    """Return a dependency that lets pass so many in so long, and refuses who asks more often.

    ```python
    @router.post("", dependencies=[rate_limit("10/minute; 100/day", by="user")])
    async def place(order: NewOrder, db: DbSession) -> OrderOut: ...
    ```

    Who is refused is answered with 429 and `Retry-After`, and what is left stands in `RateLimit`.
    A request that was refused is not counted.

    Surprises: on a router it counts each route for itself; give a `name` where they are to be
    counted together. Whoever a caller does not know is counted by address. While the storage of
    all processes is away, GET and HEAD pass uncounted, and others are counted by each process.

    Args:
        limits: `10/minute`, `5 per 2 hours`; several, with `;` between them, hold together.
        by: `address`; `user` or `key` of `fastforge.contrib.auth`; another `@caller`; or a
            function of the connection, which returns None for who is not limited.
        name: What all that has this name is counted under together.
        when_away: `pass` or `count_here`, where the method does not say it.

    Raises:
        RateLimitError: The limits cannot be read.
    """
    caller = sys._getframe(1)
    where = Location(caller.f_code.co_filename, caller.f_lineno)
    rule = Rule(limits=_read(limits, where), by=by, name=name, when_away=when_away)

    async def count_request(connection: HTTPConnection) -> None:
        container = current_container()
        taken = await rule.take(container[rate_counters], container.registry, connection)
        tally_of(connection.scope).extend(taken.windows)
        taken.check()

    setattr(count_request, _RULE, rule)
    return Depends(count_request)


def rule_of(dependency: Callable[..., Any] | None) -> Rule | None:
    """Return the rule of a dependency that `rate_limit` has made."""
    return getattr(dependency, _RULE, None)


def _read(limits: str, where: Location) -> tuple[Limit, ...]:
    try:
        found = limits_of(limits)
    except (ValueError, TypeError, AttributeError):
        found = ()
    if found:
        return found
    raise RateLimitError(
        f"rate_limit({limits!r}) limits nothing", code="ratelimit.E002", hint=NOTATION, where=where
    )
