"""Registry: everything that the installed apps declare, found, named and frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar, overload

from .._utils import did_you_mean
from ..exceptions import ComponentError, Location
from .kind import Kind

__all__ = ["Component", "Registry"]

C = TypeVar("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component(Generic[C]):
    """One declared value: its kind and name, the app that declares it, and where."""

    kind: str
    name: str
    value: C
    app: str
    location: Location


class Registry:
    """The frozen collection of a project's components, in the order of INSTALLED_APPS.

    Args:
        components: Those found. Two with the same kind and name are refused, naming both.
        kinds: The families that exist in this project.

    Raises:
        ComponentError: Two different components of a kind share a name.
    """

    def __init__(self, kinds: Iterable[Kind[Any]], components: Iterable[Component[Any]]) -> None:
        self.kinds = MappingProxyType({kind.name: kind for kind in kinds})
        found: dict[str, dict[str, Component[Any]]] = {name: {} for name in self.kinds}
        for component in components:
            _add(found[component.kind], component)
        self._found = MappingProxyType(found)

    @overload
    def components(self, kind: Kind[C]) -> tuple[Component[C], ...]: ...
    @overload
    def components(self, kind: str) -> tuple[Component[Any], ...]: ...
    def components(self, kind: Kind[Any] | str) -> tuple[Component[Any], ...]:
        """Return the components of a kind; none when no installed app introduces the kind."""
        return tuple(self._found.get(_name(kind), {}).values())

    @overload
    def values(self, kind: Kind[C]) -> tuple[C, ...]: ...
    @overload
    def values(self, kind: str) -> tuple[Any, ...]: ...
    def values(self, kind: Kind[Any] | str) -> tuple[Any, ...]:
        """Return the declared values of a kind, in installation order."""
        return tuple(component.value for component in self.components(kind))

    @overload
    def get(self, kind: Kind[C], name: str) -> Component[C]: ...
    @overload
    def get(self, kind: str, name: str) -> Component[Any]: ...
    def get(self, kind: Kind[Any] | str, name: str) -> Component[Any]:
        """Return one component by its name.

        Raises:
            ComponentError: There is none of that name; the hint has the nearest.
        """
        family = self._found.get(_name(kind), {})
        if name in family:
            return family[name]
        raise ComponentError(
            f"no installed app declares {name!r} among its {_name(kind)}",
            code="components.E002",
            hint=did_you_mean(name, family) or f"manage inspect {_name(kind)} lists them",
        )

    def __iter__(self) -> Iterator[Component[Any]]:
        return (component for family in self._found.values() for component in family.values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Registry) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={len(family)}" for name, family in self._found.items())
        return f"<Registry({counts})>"


def _name(kind: Kind[Any] | str) -> str:
    return kind if isinstance(kind, str) else kind.name


def _add(family: dict[str, Component[Any]], component: Component[Any]) -> None:
    other = family.setdefault(component.name, component)
    if other.value is component.value:
        return
    raise ComponentError(
        f"two of the {component.kind} are named {component.name!r}:"
        f" in app {other.app!r} at {other.location}"
        f" and in app {component.app!r} at {component.location}",
        code="components.E001",
        hint="rename one of them",
        where=component.location,
    )
