"""Keys: by which arguments the jobs of a task are counted and compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._utils import did_you_mean
from ..exceptions import TaskError
from .arguments import arguments_of
from .limits import Concurrency, Rate, Unique, key_of

__all__ = ["check_by", "key_for"]


def check_by(limit: Concurrency | Rate | Unique, function: Callable[..., Any]) -> None:
    """Refuse a limit that counts by what is no argument of the task.

    Raises:
        TaskError: The task takes no argument of that name, or it has no value that can be counted
            by when a call leaves it to its default.
    """
    arguments = arguments_of(function)
    for name in (limit.by,) if isinstance(limit.by, str) else limit.by:
        if name not in arguments.adapters:
            takes = f"it takes {', '.join(arguments.adapters) or 'no arguments'}"
            raise TaskError(
                f"{limit!r}: the task {arguments.task} takes no argument {name!r}",
                code="tasks.E019",
                hint=did_you_mean(name, arguments.adapters) or takes,
                where=arguments.where,
            )
    for name in _counted(limit, function):
        if name in arguments.unwritable:
            raise TaskError(
                f"{limit!r} of the task {arguments.task}: the default of {name}"
                f" cannot be written as JSON: {arguments.unwritable[name]}",
                code="tasks.E019",
                hint="give it a default that can, or name other arguments in `by`",
                where=arguments.where,
            )


def key_for(
    task: str,
    function: Callable[..., Any],
    payload: Mapping[str, Any],
    limit: Concurrency | Rate | Unique,
) -> str:
    """Return the key that a job has by a limit.

    An argument that the call leaves to its default counts as if it had been given.
    """
    names = _counted(limit, function)
    values = {**arguments_of(function).defaults, **payload} if names else {}
    return key_of(task, values, names)


def _counted(limit: Concurrency | Rate | Unique, function: Callable[..., Any]) -> tuple[str, ...]:
    if isinstance(limit, Unique) and not limit.by:
        return tuple(arguments_of(function).adapters)
    return (limit.by,) if isinstance(limit.by, str) else limit.by
