"""Registry: everything that the installed apps declare, found, named and frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
        kinds: The families that exist in this project.
        find: Gives the components of a kind. It is asked once for each: at once, and for kinds
            that are deferred when somebody first asks for one of them.

    Raises:
        ComponentError: Two different components of a kind share a name; the error names both.
    """

    def __init__(
        self, kinds: Iterable[Kind[Any]], find: Callable[[Kind[Any]], Iterable[Component[Any]]]
    ) -> None:
        self.kinds = MappingProxyType({kind.name: kind for kind in kinds})
        self._find = find
        self._found: dict[str, Mapping[str, Component[Any]]] = {}
        self._values: dict[str, tuple[Any, ...]] = {}
        for kind in self.kinds.values():
            if not kind.deferred:
                self._family(kind)

    @overload
    def components(self, kind: Kind[C]) -> tuple[Component[C], ...]: ...
    @overload
    def components(self, kind: str) -> tuple[Component[Any], ...]: ...
    def components(self, kind: Kind[Any] | str) -> tuple[Component[Any], ...]:
        """Return the components of a kind; none when no installed app introduces the kind."""
        return tuple(self._family(kind).values())

    @overload
    def values(self, kind: Kind[C]) -> tuple[C, ...]: ...
    @overload
    def values(self, kind: str) -> tuple[Any, ...]: ...
    def values(self, kind: Kind[Any] | str) -> tuple[Any, ...]:
        """Return the declared values of a kind, in installation order."""
        # Kept, since each request and each job asks for some.
        name = _name(kind)
        found = self._values.get(name)
        if found is None:
            found = tuple(component.value for component in self.components(kind))
            self._values[name] = found
        return found

    @overload
    def get(self, kind: Kind[C], name: str) -> Component[C]: ...
    @overload
    def get(self, kind: str, name: str) -> Component[Any]: ...
    def get(self, kind: Kind[Any] | str, name: str) -> Component[Any]:
        """Return one component by its name.

        Raises:
            ComponentError: There is none of that name; the hint has the nearest.
        """
        family = self._family(kind)
        if name in family:
            return family[name]
        raise ComponentError(
            f"no installed app declares {name!r} among its {_name(kind)}",
            code="components.E002",
            hint=did_you_mean(name, family) or f"manage inspect {_name(kind)} lists them",
        )

    def __iter__(self) -> Iterator[Component[Any]]:
        return (component for kind in self.kinds for component in self.components(kind))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Registry) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={len(family)}" for name, family in self._found.items())
        return f"<Registry({counts})>"

    def _family(self, kind: Kind[Any] | str) -> Mapping[str, Component[Any]]:
        name = _name(kind)
        if name not in self.kinds:
            return {}
        if name not in self._found:
            family: dict[str, Component[Any]] = {}
            for component in self._find(self.kinds[name]):
                _add(family, component)
            self._found[name] = family
        return self._found[name]


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
