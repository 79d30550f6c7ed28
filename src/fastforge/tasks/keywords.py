"""Keywords: a misspelt argument of a declaration is told like any other mistake."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from .._utils import calling_line, did_you_mean
from ..exceptions import TaskError

__all__ = ["refusing_unknown"]

P = ParamSpec("P")
R = TypeVar("R")


def refusing_unknown(shown: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator: keywords that a function does not take are a TaskError.

    Python's own TypeError tells neither the line nor, before Python 3.13, the nearest name. Type
    checkers know the function as it is written.

    Args:
        shown: What was called, as it is written: `@task`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        known = [
            name
            for name, parameter in inspect.signature(function).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY
        ]

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except TypeError:
                # With one of these it cannot have begun, so that the error is about them.
                if unknown := [name for name in kwargs if name not in known]:
                    raise _refused(shown, unknown, known) from None
                raise

        return call

    return decorate


def _refused(shown: str, unknown: list[str], known: list[str]) -> TaskError:
    return TaskError(
        f"{shown} got {', '.join(f'{name}=' for name in unknown)}, which it does not take",
        code="tasks.E092",
        hint=did_you_mean(unknown[0], known) or f"it takes {', '.join(known)}",
        where=calling_line(),
    )
