"""Keys: by which arguments the jobs of a task are counted and compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from .._utils import did_you_mean
from ..exceptions import TaskError
from .arguments import arguments_of
from .limits import Concurrency, Rate, Unique, key_of

__all__ = ["check_limit", "key_for"]


def check_limit(
    name: str, limit: Any, kind: type[Concurrency | Rate | Unique], function: Callable[..., Any]
) -> None:
    """Refuse a limit that is none, or that counts by what is no argument of the task.

    Args:
        name: What the limit is called where it was given: `unique`, `concurrency`, `rate`.
        limit: What was given.
        kind: What it has to be.
        function: The task's function.

    Raises:
        TaskError: It is something else; the task takes no argument that it counts by; or one has
            no value that could be counted by when a call leaves it to its default.
    """
    arguments = arguments_of(function)

    def refuse(fault: str, hint: str) -> NoReturn:
        place = f"{name}={limit!r} of the task {arguments.task}"
        raise TaskError(f"{place}: {fault}", code="tasks.E019", hint=hint, where=arguments.where)

    if not isinstance(limit, kind):
        refuse(f"that is no {kind.__name__}", f"write {name}={kind.__name__}(...)")
    given = limit.by if isinstance(limit.by, tuple) else (limit.by,)
    for argument in given:
        if not isinstance(argument, str):
            refuse(f"by={limit.by!r} is no name", "give the name of an argument, or a tuple")
        if argument not in arguments.adapters:
            takes = f"it takes {', '.join(arguments.adapters) or 'no arguments'}"
            hint = did_you_mean(argument, arguments.adapters) or takes
            refuse(f"it takes no argument {argument!r}", hint)
    for argument in _counted(limit, function):
        if argument in arguments.unwritable:
            fault = f"the default of {argument} cannot be written as JSON"
            refuse(fault, "give it one that can, or name other arguments in `by`")


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
