"""Breakers: those of a running project, for readiness and for what exports metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from weakref import WeakKeyDictionary

from .breaker import Breaker, BreakerGauges
from .container import Container, current_container

__all__ = ["breaker_gauges", "breakers_of", "unwatched_breaker", "watched_breaker"]

_of_projects: Final[WeakKeyDictionary[Container, dict[str, Breaker]]] = WeakKeyDictionary()


def watched_breaker(breaker: Breaker) -> Breaker:
    """Let readiness and the gauges of the running project tell of a breaker, and return it.

    Where one of the same name is watched already, that one is returned: a resource that is opened
    again, or somebody who makes one for each host, goes on with what is known.

    ```python
    @resource(required=False)
    async def search(http: HttpClient) -> AsyncIterator[Search]:
        yield Search(http, watched_breaker(Breaker("search", opens_after=3)))
    ```

    Args:
        breaker: A new one; its name is unique in the project.

    Raises:
        ContainerMissing: No project runs here.
    """
    return _of_projects.setdefault(current_container(), {}).setdefault(breaker.name, breaker)


def unwatched_breaker(breaker: Breaker) -> None:
    """Tell no longer of a breaker; for somebody who makes one for each of many hosts."""
    watched = _of_projects.get(current_container(), {})
    if watched.get(breaker.name) is breaker:
        del watched[breaker.name]


def breakers_of(container: Container) -> tuple[Breaker, ...]:
    """Return the breakers of a running project in this process."""
    return tuple(_of_projects.get(container, {}).values())


def breaker_gauges() -> Mapping[str, BreakerGauges]:
    """Return what the breakers of the running project do in this process, by their names.

    ```python
    for name, gauges in breaker_gauges().items():
        print(name, gauges.state, gauges.refused)
    ```

    Raises:
        ContainerMissing: No project runs here.
    """
    return {each.name: each.gauges for each in breakers_of(current_container())}
