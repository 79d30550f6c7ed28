"""Panel: what an app has to tell of a request that failed."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import overload

from starlette.types import Scope

from ...exceptions import ComponentError, Location

__all__ = ["ErrorPanel", "PanelRow", "error_panel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRow:
    """A row of a panel.

    Args:
        text: What it says, such as a statement; shown as code.
        note: What stands beside, such as how long it took.
        warning: What is wrong with it, if anything is.
    """

    text: str
    note: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPanel:
    """A part of the error page that an app fills.

    Args:
        name: The function's name.
        title: Its heading.
        function: Returns its rows for a request; where there is none, the panel is left out.
    """

    name: str
    title: str
    function: Callable[[Scope], Iterable[PanelRow]]

    def __repr__(self) -> str:
        return f"<ErrorPanel({self.name})>"


@overload
def error_panel(function: Callable[[Scope], Iterable[PanelRow]], /) -> ErrorPanel: ...
@overload
def error_panel(*, title: str) -> Callable[[Callable[[Scope], Iterable[PanelRow]]], ErrorPanel]: ...
def error_panel(
    function: Callable[[Scope], Iterable[PanelRow]] | None = None, /, *, title: str = ""
) -> ErrorPanel | Callable[[Callable[[Scope], Iterable[PanelRow]]], ErrorPanel]:
    """Declare a part of the error page, in an app's `panels.py`.

    The error page is what a browser on a developer's machine is shown of a request that failed.
    The function is given the ASGI scope of that request: keep there what it is to tell.

    ```python
    @error_panel(title="Searches")
    def searches(scope: Scope) -> list[PanelRow]:
        return [PanelRow(text=each) for each in scope.get("shop.searches", ())]
    ```

    Surprises: it is called in a thread, after the request; one that fails is a line of the panel.
    What looks like a password is masked.

    Args:
        function: Returns the rows.
        title: The heading; the function's name unless given.

    Raises:
        ComponentError: It decorates an async function, or nothing that can be called with a scope.
    """

    def declare(function: Callable[[Scope], Iterable[PanelRow]]) -> ErrorPanel:
        _refuse_unfit(function)
        name = function.__name__
        return ErrorPanel(
            name=name, title=title or name.replace("_", " ").capitalize(), function=function
        )

    return declare if function is None else declare(function)


def _refuse_unfit(function: object) -> None:
    fault = ""
    if not callable(function):
        fault = "is no function"
    elif inspect.iscoroutinefunction(function):
        fault = "is async: it is called in a thread"
    else:
        try:
            inspect.signature(function).bind(None)
        except TypeError:
            fault = "does not take a scope alone"
    if fault:
        caller = sys._getframe(3)  # what is no function is given by hand, not by `@`
        here = Location(caller.f_code.co_filename, caller.f_lineno)
        raise ComponentError(
            f"the error panel {getattr(function, '__name__', function)!r} {fault}",
            code="web.E050",
            hint="write `def` with one parameter: `scope: Scope`",
            where=Location.of(function) if callable(function) else here,
        )
