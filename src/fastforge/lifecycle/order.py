"""Order: which resources a role opens, each after those it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..components import Component, Registry
from ..exceptions import ComponentError
from .kinds import RESOURCES
from .plan import plan
from .resource import Resource
from .role import Role

__all__ = ["needs_of", "start_order"]


def needs_of(resource: Resource[Any]) -> tuple[Resource[Any], ...]:
    """Return what a resource needs: what it declares, and what its parameters name."""
    return tuple(dict.fromkeys((*resource.needs, *plan(resource.function).resources)))


def start_order(registry: Registry, role: Role) -> tuple[Component[Resource[Any]], ...]:
    """Return the resources of a role in the order of opening: needs first, else those that
    say so, else installation.

    Raises:
        ComponentError: Resources need each other, or need one that this role does not open,
            that no installed app declares, or that may be missing while they may not.
    """
    declared = {component.value: component for component in registry.components(RESOURCES)}
    ordered: dict[Resource[Any], Component[Resource[Any]]] = {}

    def visit(resource: Resource[Any], chain: tuple[Resource[Any], ...]) -> None:
        if resource in ordered:
            return
        if resource in chain:
            raise _cycle((*chain[chain.index(resource) :], resource), declared)
        for needed in needs_of(declared[resource].value):
            _refuse(resource, needed, role, declared)
            visit(needed, (*chain, resource))
        ordered[resource] = declared[resource]

    # The sort is stable: among equals the order of installation holds.
    for resource in sorted(declared, key=lambda each: not each.opens_first):
        if role in resource.roles:
            visit(resource, ())
    return tuple(ordered.values())


def _refuse(
    resource: Resource[Any],
    needed: Resource[Any],
    role: Role,
    declared: dict[Resource[Any], Component[Resource[Any]]],
) -> None:
    for problem, code, hint in _problems(resource, needed, role, declared):
        raise ComponentError(
            f"the resource {resource.name!r} needs {needed.name!r}, {problem}",
            code=code,
            hint=hint,
            where=declared[resource].location,
        )


def _problems(
    resource: Resource[Any],
    needed: Resource[Any],
    role: Role,
    declared: dict[Resource[Any], Component[Resource[Any]]],
) -> Iterator[tuple[str, str, str]]:
    if needed not in declared:
        module = needed.function.__module__
        yield "which no installed app declares", "lifecycle.E006", f"install the app of {module}"
    elif role not in needed.roles:
        problem = f"which is not opened in a {role} process"
        yield problem, "lifecycle.E007", f"add Role.{role.name} to the roles of {needed.name!r}"
    elif resource.required and not needed.required:
        problem = "which may be unavailable while it may not"
        yield problem, "lifecycle.E008", "set required=False on the first or True on the second"


def _cycle(
    chain: tuple[Resource[Any], ...], declared: dict[Resource[Any], Component[Resource[Any]]]
) -> ComponentError:
    return ComponentError(
        f"resources need each other: {' -> '.join(resource.name for resource in chain)}",
        code="lifecycle.E005",
        hint="take one of the needs away",
        where=declared[chain[0]].location,
    )
