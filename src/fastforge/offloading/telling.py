"""Telling: what is said when something is wrong, apart because all is well most often."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence

from .call import Call
from .errors import OffloadError, OffloadTimeout
from .gate import Gate
from .limiter import Limiter

__all__ = ["left_behind", "same_name", "stopped", "stuck", "timed_out", "wrong_loop"]


def timed_out(call: Call, timeout_s: float, *, process: bool) -> OffloadTimeout:
    """Return the error of a call that did not end in time."""
    if not call.has_begun:
        message = f"{call.name} was not begun within {timeout_s:g} s: it waited for a place"
        hint = "offload less at the same time, or raise the limit that it waits for"
    else:
        message = f"{call.name} did not end within {timeout_s:g} s"
        hint = "its process was ended" if process else "its thread goes on, and keeps its place"
    return OffloadTimeout(message, code="offloading.E011", hint=hint)


def same_name(known: Limiter, limiter: Limiter) -> OffloadError:
    """Return the error of two limiters that gauges and messages could not tell apart."""
    return OffloadError(
        f"two limiters are called {limiter.name!r}: {known} and {limiter}",
        code="offloading.E003",
        hint="give one of them another name, or import the one that there is",
    )


def stopped() -> OffloadError:
    """Return the error of a call that comes after the last resource has closed."""
    return OffloadError(
        "nothing can be offloaded: the project has stopped",
        code="offloading.E006",
        hint="await what is offloaded before the last resource closes",
    )


def wrong_loop(call: Call) -> OffloadError:
    """Return the error of a call from an event loop that the project does not run on."""
    return OffloadError(
        f"{call.name} was offloaded on another event loop than the project's",
        code="offloading.E007",
        hint="call it as it is where nothing waits; in a thread anyio.from_thread.run comes back",
    )


def stuck(gate: Gate, holders: Sequence[Call]) -> str:
    """Return who has the places of a gate that nobody leaves."""
    others = gate.limiter.borrowed_tokens - len(holders)
    names = [_counted(holders)] if holders else []
    if others > 0:
        names.append(f"plain def handlers and dependencies ({others})")
    return (
        f"the {gate.limit} places of {gate.name} have been taken for seconds by the same"
        f" functions, while {gate.waiting} callers wait: {', '.join(names)}"
    )


def left_behind(calls: Iterable[Call]) -> str:
    """Return which functions did not end with their project."""
    return f"offloaded functions did not end and are left behind: {_counted(calls)}"


def _counted(calls: Iterable[Call]) -> str:
    counts = collections.Counter(call.name for call in calls)
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
