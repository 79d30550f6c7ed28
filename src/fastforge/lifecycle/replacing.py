"""Replacing: stand-ins for the resources of a project, in a copy of its registry."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from .._utils import did_you_mean
from ..components import Component, Kind, Registry
from ..exceptions import ComponentError, Location
from .kinds import RESOURCES
from .order import start_order
from .plan import plan
from .resource import Resource
from .role import Role

__all__ = ["replace_resources", "stand_ins_of"]


def replace_resources(
    registry: Registry, stand_ins: Mapping[Resource[Any], object], *, where: Location
) -> Registry:
    """Return a copy of a registry in which other things stand for some resources.

    Nothing of an original runs: neither its function nor its ping, and what it needed is no
    longer needed. Its name and roles stay, and its time limits unless another resource stands for
    it, which has limits and a ping of its own.

    Args:
        registry: A project's components.
        stand_ins: By resource: an async generator function, with or without
            `@asynccontextmanager`, opens and closes the instance at each start, and its parameters
            are injected; another resource does the same. Anything else is the instance itself,
            which nobody closes.
        where: Who asks for it: the place of the components that are replaced.

    Raises:
        ComponentError: There is no such resource, or the needs of a stand-in cannot be met.
        DependencyError: A parameter of a stand-in cannot be filled.
    """
    for resource in stand_ins:
        _refuse_unknown(resource, registry, where)

    def find(kind: Kind[Any]) -> Iterator[Component[Any]]:
        return (_replaced(each, stand_ins, where) for each in registry.components(kind))

    copy = Registry(registry.kinds.values(), find)
    for role in Role:
        start_order(copy, role)
    return copy


def stand_ins_of(registry: Registry) -> dict[Resource[Any], object]:
    """Return what stands for the resources of a registry."""
    resources = registry.values(RESOURCES)
    return {each.stands_for: each for each in resources if each.stands_for is not None}


def _replaced(
    component: Component[Any], stand_ins: Mapping[Resource[Any], object], where: Location
) -> Component[Any]:
    if component.kind != RESOURCES.name or component.value not in stand_ins:
        return component
    resource: Resource[Any] = component.value
    stand_in = stand_ins[resource]
    original = resource.stands_for or resource
    if isinstance(stand_in, Resource):
        other = replace(stand_in, name=resource.name, roles=resource.roles, stands_for=original)
        return replace(component, value=other, location=where)
    function = _opening(stand_in)
    plan(function)
    other = replace(
        resource, function=function, needs=(), ping=None, optional=None, stands_for=original
    )
    return replace(component, value=other, location=where)


def _opening(stand_in: object) -> Callable[..., AsyncIterator[Any]]:
    # Not "whatever can be called or entered": a mock can be both, and is meant as it is.
    if inspect.isfunction(stand_in):
        function: Any = inspect.unwrap(stand_in)
        if inspect.isasyncgenfunction(function):
            opening: Callable[..., AsyncIterator[Any]] = function
            return opening

    async def as_it_is() -> AsyncIterator[Any]:
        yield stand_in

    return as_it_is


def _refuse_unknown(resource: object, registry: Registry, where: Location) -> None:
    known = registry.values(RESOURCES)
    if isinstance(resource, Resource) and resource in known:
        return
    if isinstance(resource, Resource):
        hint = did_you_mean(resource.name, [each.name for each in known])
        message = f"no installed app declares the resource {resource.name!r}"
    else:
        hint = ""
        message = f"{resource!r} is no resource"
    raise ComponentError(
        f"{message}, so that nothing can stand for it",
        code="lifecycle.E015",
        hint=hint or "give the function with @resource, from the resources.py of an installed app",
        where=where,
    )
