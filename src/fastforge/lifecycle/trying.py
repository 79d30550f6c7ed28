"""Trying: one resource opened with what it needs and nothing else, asked, and closed."""

from __future__ import annotations

from typing import Any

from ..components import Component, Kind, Registry
from ..conf import Settings
from .kinds import RESOURCES
from .order import needs_of
from .resource import Resource
from .role import Role
from .runner import running

__all__ = ["try_resource"]


async def try_resource(registry: Registry, settings: Settings, resource: Resource[Any]) -> None:
    """Open a resource in the absence of all that it does not need, ping it, and close all of it.

    Args:
        registry: The project's components.
        settings: The project's settings.
        resource: The resource.

    Raises:
        StartError: It cannot be opened, or what it needs cannot.
        ContainerMissing: It may be missing, and is.
        Exception: What its ping raises.
    """
    role = Role.COMMAND if Role.COMMAND in resource.roles else min(resource.roles)
    few = _only(registry, _closure(registry, resource))
    async with running(few, settings, role, services=False) as container:
        instance = container[resource]
        if resource.ping is not None:
            await resource.ping(instance)


def _closure(registry: Registry, resource: Resource[Any]) -> set[Resource[Any]]:
    declared = {component.value: component.value for component in registry.components(RESOURCES)}
    found: set[Resource[Any]] = set()
    waiting = [resource]
    while waiting:
        each = waiting.pop()
        if each not in found and each in declared:
            found.add(each)
            waiting += needs_of(declared[each])
    return found


def _only(registry: Registry, resources: set[Resource[Any]]) -> Registry:
    def find(kind: Kind[Any]) -> tuple[Component[Any], ...]:
        found = registry.components(kind)
        if kind.name != RESOURCES.name:
            return found
        return tuple(component for component in found if component.value in resources)

    return Registry(registry.kinds.values(), find)
