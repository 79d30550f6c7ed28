"""ShellNames: what an app puts at hand in `manage shell`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, overload

from ..components import Component, Kind
from ..components.functions import refuse_unless_plain

__all__ = ["SHELL_NAMES", "ShellNames", "names_of", "shell_names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellNames:
    """A group of names for the shell.

    Args:
        name: What the shell calls the group; the function's name.
        function: Returns the values by name. Its parameters are injected as a command's are.
        note: A few words that the shell shows behind the names.
    """

    name: str
    function: Callable[..., Mapping[str, object]]
    note: str = ""


@overload
def shell_names(function: Callable[..., Mapping[str, object]], /) -> ShellNames: ...
@overload
def shell_names(
    *, note: str = ...
) -> Callable[[Callable[..., Mapping[str, object]]], ShellNames]: ...
def shell_names(function: Any = None, /, *, note: str = "") -> Any:
    """Declare names for `manage shell`, in an app's `shell_names.py`.

    The function is called once, when the shell starts, on its event loop and after the resources
    have been opened. One that fails is named, and the shell starts without its names.

    ```python
    # shop/orders/shell_names.py
    @shell_names(note="the search engine")
    def search(client: Search) -> dict[str, object]:
        return {"search": client}
    ```

    Args:
        note: A few words that the shell shows behind the names.

    Raises:
        ComponentError: It decorates no plain function.
    """

    def declare(function: Callable[..., Mapping[str, object]]) -> ShellNames:
        refuse_unless_plain(
            function,
            decorator="@shell_names",
            code="components.E013",
            hint="write `def`, and return values by their names; the shell itself may await",
        )
        return ShellNames(name=function.__name__, function=function, note=note)

    return declare if function is None else declare(function)


def names_of(components: Iterable[Component[Any]]) -> dict[str, object]:
    """Return the values of components by the names that their modules gave them.

    Surprises: of two with one name the first has it alone, the second stands behind its app's
    label: `orders_Note`.
    """
    found: dict[str, object] = {}
    for component in components:
        name = component.name.rpartition(".")[2]
        found[f"{component.app}_{name}" if name in found else name] = component.value
    return found


def _plan_function(value: ShellNames) -> None:
    from ..lifecycle import plan  # imports FastAPI, which the list of commands does without

    plan(value.function)


SHELL_NAMES: Final[Kind[ShellNames]] = Kind(
    name="shell_names",
    type=ShellNames,
    module="shell_names",
    home=lambda value: value.function,
    validate=_plan_function,
)
