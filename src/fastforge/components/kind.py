"""Kind: a family of declared values and the conventional module where apps declare them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = ["Kind"]

C = TypeVar("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[C]):
    """A family of components.

    A Kind is itself a component: an app that defines one at the top level of its `kinds.py`
    has introduced it, and every installed app's module of that name is then searched.

    ```python
    REPORTS = Kind(name="reports", type=Report, module="reports", key=lambda r: r.name)
    ```

    Args:
        name: Plural; the name by which the registry and `manage inspect` know the family.
        type: The type of the values.
        module: The conventional module (or package) that is searched in every installed app.
        key: Gives a value its name, unique in the project. Default: the name that the module
            gave it, behind the app's label.
        subclasses: Collect the classes that derive from `type` in place of its instances.
        home: Gives the function behind a value. A value whose function was defined elsewhere
            belongs to that module, whatever name it has here.
        validate: Called with every value at collection; raises a ForgeError for a bad one.
        deferred: The modules are searched when somebody first asks for the family. For what a
            process that serves or works never asks for: it starts without importing them.
        also: Further modules in which values of the family may stand.
    """

    name: str
    type: type[C]
    module: str
    key: Callable[[Any], str] | None = None
    subclasses: bool = False
    home: Callable[[Any], object] | None = None
    validate: Callable[[Any], None] | None = None
    deferred: bool = False
    also: tuple[str, ...] = ()

    def matches(self, value: object) -> bool:
        """Return whether a value belongs to this family."""
        if not self.subclasses:
            return isinstance(value, self.type)
        return inspect.isclass(value) and issubclass(value, self.type) and value is not self.type

    def home_module(self, value: object) -> str | None:
        """Return the module that a value says it was defined in, when it can say so."""
        home = self.home(value) if self.home else value if self.subclasses else None
        return None if home is None else getattr(home, "__module__", None)
