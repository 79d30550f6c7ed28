"""Functions: what a decorator may decorate."""

from __future__ import annotations

import inspect

from ..exceptions import ComponentError, Location

__all__ = ["refuse_unless_plain"]


def refuse_unless_plain(function: object, *, decorator: str, code: str, hint: str) -> None:
    """Refuse what is no plain function: where it is called nothing is awaited.

    The coroutine of an async one would be taken for what it returns, and any coroutine is true.

    Args:
        function: What is decorated.
        decorator: The decorator, with its @.
        code: That of the error.
        hint: What to write.

    Raises:
        ComponentError: It is none.
    """
    awaits = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    if awaits or not inspect.isfunction(function):
        raise ComponentError(
            f"{decorator} decorates {getattr(function, '__name__', function)!r},"
            " which is no plain function",
            code=code,
            hint=hint,
            where=Location.of(function) if callable(function) else None,
        )
