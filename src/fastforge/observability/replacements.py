"""Replacements: what blocks an event loop, and what to write in its place, as one table.

`manage check` reads it for the source of a project, strict mode for what is running.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from .blocking_calls import EVERY, GROUPS, Cause

__all__ = ["EVERY", "Blocking", "Cause", "blocking_call", "blocking_calls", "replacement_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocking:
    """A call that blocks.

    Attributes:
        name: Its dotted name: `time.sleep`, `requests.Session.get`.
        cause: Why it blocks.
        instead: What to write in asynchronous code; empty where `offload` is the remedy.
    """

    name: str
    cause: Cause
    instead: str = ""


def replacement_for(name: str) -> str:
    """Return what to write in place of a call, in one line; `offload` where nothing is better.

    ```python
    assert replacement_for("time.sleep") == "await asyncio.sleep(...)"
    assert replacement_for("shutil.copy") == "await offload(shutil.copy, ...)"
    ```

    Args:
        name: The dotted name of the function, or of the method with its class.
    """
    found = blocking_call(name)
    if found is not None and found.instead:
        return found.instead
    where = ", process=True" if found is not None and found.cause == "processor" else ""
    return f"await offload({name}, ...{where})"


def blocking_call(name: str) -> Blocking | None:
    """Return what is known of a call that blocks, None of one that does not.

    Args:
        name: The dotted name of the function, or of the method with its class.
    """
    known = _table()
    if name in known:
        return known[name]
    owner, _, method = name.rpartition(".")
    found = known.get(f"{owner}.{EVERY}")
    if found is None or method.startswith("_") or f"{owner}.-{method}" in known:
        return None
    instead = found.instead.replace(EVERY, method)
    return Blocking(name=name, cause=found.cause, instead=instead)


def blocking_calls() -> tuple[Blocking, ...]:
    """Return the whole table, in its order; `*` stands for all other methods of a class."""
    return tuple(each for name, each in _table().items() if ".-" not in name)


@cache
def _table() -> Mapping[str, Blocking]:
    return {each.name: each for each in _each()}


def _each() -> Iterator[Blocking]:
    for cause, instead, names in GROUPS:
        for owner, calls in names.items():
            for call in calls.split():
                name = f"{owner}.{call}" if owner else call
                yield Blocking(name=name, cause=cause, instead=instead.replace("{call}", call))
