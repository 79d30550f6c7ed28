"""Health: ask every open resource whether it still works."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from ..components import Component
from .container import Container, reason_of, use_container
from .kinds import RESOURCES
from .resource import Resource

__all__ = ["Health", "check_health"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a resource answered: `error` is empty when it works; `app` is who declares it.

    `required` is whether the process cannot serve without it, `took_ms` how long the answer took,
    in milliseconds; None when there was none.
    """

    resource: str
    app: str
    required: bool
    error: str
    took_ms: float | None = None


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
    with use_container(container):  # whoever asks may stand outside of the project
        return await _check(container, timeout_s, all_resources)


async def _check(container: Container, timeout_s: float, all_resources: bool) -> tuple[Health, ...]:
    declared = container.registry.components(RESOURCES)
    mine = [each for each in declared if container.role in each.value.roles]
    asked = [
        each for each in mine if all_resources or each.value.ping or container.failure(each.value)
    ]
    asking = [asyncio.create_task(_timed(each.value, container)) for each in asked]
    try:
        if asking:
            # Not `asyncio.timeout`: it waits for whoever takes its time over being cancelled.
            await asyncio.wait(asking, timeout=timeout_s)
        late = _Answer(error=f"no answer within {timeout_s:g} s", took_ms=None)
        return tuple(
            _health(each, container, task.result() if _has_answered(task) else late)
            for each, task in zip(asked, asking, strict=True)
        )
    finally:
        for task in asking:
            task.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    error: str
    took_ms: float | None


async def _timed(resource: Resource[Any], container: Container) -> _Answer:
    started = time.perf_counter()
    error = await _error(resource, container)
    return _Answer(error=error, took_ms=round((time.perf_counter() - started) * 1000, 1))


async def _error(resource: Resource[Any], container: Container) -> str:
    if failure := container.failure(resource):
        return failure
    try:
        instance = container[resource]
        if resource.ping is not None:
            await resource.ping(instance)
    except Exception as problem:
        return reason_of(problem)
    return ""


def _has_answered(task: asyncio.Task[_Answer]) -> bool:
    return task.done() and not task.cancelled()


def _health(component: Component[Resource[Any]], container: Container, answer: _Answer) -> Health:
    return Health(
        resource=component.name,
        app=component.app,
        required=_is_required(component.value, container),
        error=answer.error,
        took_ms=answer.took_ms,
    )


def _is_required(resource: Resource[Any], container: Container) -> bool:
    if resource.optional is None or resource not in container:
        return resource.required
    return resource.required and not resource.optional(container[resource])
