"""Template helpers: functions and filters that an app offers to templates, as values.

They stand here and not with the templates, so that an app may offer some without requiring these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, ParamSpec, TypeVar

__all__ = ["TemplateHelper", "template_filter", "template_function"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateHelper(Generic[P, R]):
    """A function that templates may call: `{{ name(value) }}`, or `{{ value | name }}`.

    Python code calls it as the function that it is.
    """

    name: str
    function: Callable[P, R]
    form: Literal["function", "filter"]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function."""
        return self.function(*args, **kwargs)


def template_function(function: Callable[P, R]) -> TemplateHelper[P, R]:
    """Declare a function for templates, in an app's `template_helpers.py`.

    Surprises: what it returns is escaped like any value; HTML of its own it returns as
    `markupsafe.Markup`.

    ```python
    @template_function
    def year() -> int:
        return utcnow().year        # {{ year() }}
    ```
    """
    return TemplateHelper(name=function.__name__, function=function, form="function")


def template_filter(function: Callable[P, R]) -> TemplateHelper[P, R]:
    """Declare a filter for templates, in an app's `template_helpers.py`.

    ```python
    @template_filter
    def euros(cents: int) -> str:
        return f"{cents / 100:.2f} €"        # {{ order.cents | euros }}
    ```
    """
    return TemplateHelper(name=function.__name__, function=function, form="filter")
