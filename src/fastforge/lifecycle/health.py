"""Health: ask every open resource whether it still works."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from ..components import Component
from .container import Container, reason_of
from .kinds import RESOURCES
from .resource import Resource

__all__ = ["Health", "check_health"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a resource answered: `error` is empty when it works; `app` is who declares it."""

    resource: str
    app: str
    required: bool
    error: str


async def check_health(
    container: Container, *, timeout_s: float = 1, all_resources: bool = False
) -> tuple[Health, ...]:
    """Ping the resources of a process side by side; one that does not answer in time fails.

    Args:
        container: The running resources.
        timeout_s: The time limit, in seconds, for all of them together.
        all_resources: Report those as well that work and have no ping; one that could not be
            opened is always reported.
    """
    declared = container.registry.components(RESOURCES)
    mine = [each for each in declared if container.role in each.value.roles]
    asked = [
        each for each in mine if all_resources or each.value.ping or container.failure(each.value)
    ]
    return tuple(await asyncio.gather(*(_ask(each, container, timeout_s) for each in asked)))


async def _ask(
    component: Component[Resource[Any]], container: Container, timeout_s: float
) -> Health:
    return Health(
        resource=component.name,
        app=component.app,
        required=component.value.required,
        error=await _error(component.value, container, timeout_s),
    )


async def _error(resource: Resource[Any], container: Container, timeout_s: float) -> str:
    if failure := container.failure(resource):
        return failure
    try:
        instance = container[resource]
        async with asyncio.timeout(timeout_s):
            if resource.ping is not None:
                await resource.ping(instance)
    except TimeoutError:
        return f"no answer within {timeout_s:g} s"
    except Exception as problem:
        return reason_of(problem)
    return ""
