"""Health: ask every open resource whether it still works."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from .._utils import told
from .container import Container
from .resource import Resource

__all__ = ["Health", "check_health"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a resource answered: `error` is empty when it works."""

    resource: str
    required: bool
    error: str


async def check_health(container: Container, *, timeout_s: float = 1) -> tuple[Health, ...]:
    """Ping the resources of a process side by side; one that does not answer in time fails.

    Args:
        container: The running resources.
        timeout_s: The time limit, in seconds, for all of them together.
    """
    asked = [resource for resource in container.registry.values("resources") if resource.ping]
    mine = [resource for resource in asked if container.role in resource.roles]
    return tuple(await asyncio.gather(*(_ask(each, container, timeout_s) for each in mine)))


async def _ask(resource: Resource[Any], container: Container, timeout_s: float) -> Health:
    error = ""
    try:
        instance = container[resource]
        assert resource.ping is not None
        async with asyncio.timeout(timeout_s):
            await resource.ping(instance)
    except TimeoutError:
        error = f"no answer within {timeout_s:g} s"
    except Exception as problem:
        error = told(problem)
    return Health(resource=resource.name, required=resource.required, error=error)
