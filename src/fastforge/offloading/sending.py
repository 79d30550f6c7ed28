"""Sending: how a function goes to another process, and what comes back of it."""

from __future__ import annotations

import pickle
from typing import Any

from .._utils import told
from .call import Call, name_of
from .errors import OffloadError
from .wire import FAILED, RETURNED

__all__ = ["receive", "request_of"]


def request_of(call: Call) -> bytes:
    """Return what another process needs to run a call.

    Raises:
        OffloadError: The function or an argument cannot be sent.
    """
    target = name_of(call.function)
    if target.startswith("__main__."):
        raise OffloadError(
            f"{target} cannot be sent to a process: it is defined in the program that was started",
            code="offloading.E004",
            hint="move it into a module, which another process can import",
        )
    try:
        return pickle.dumps((call.function, call.args), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        what = "an argument of " if _can_be_sent(call.function) else ""
        raise OffloadError(
            f"{what}{target} cannot be sent to a process: {told(error)}",
            code="offloading.E004",
            hint="give a function from the top level of a module, and values that pickle copies",
        ) from error


def _can_be_sent(function: Any) -> bool:
    try:
        pickle.dumps(function)
    except Exception:
        return False
    return True


def receive(call: Call, answer: bytes) -> None:
    """Read an answer into its call."""
    kind, content = answer[:1], answer[1:]
    try:
        values: Any = pickle.loads(content)
    except Exception as error:
        call.ended_with(error=_unsendable(call, "what it returned", told(error), ""))
        return
    if kind == RETURNED:
        call.ended_with(values)
    elif kind == FAILED:
        failure, traceback = values
        failure.add_note(f"in the process that ran it:\n{traceback}")
        call.ended_with(error=failure)
    else:
        call.ended_with(error=_unsendable(call, *values))


def _unsendable(call: Call, what: str, reason: str, traceback: str) -> OffloadError:
    error = OffloadError(
        f"{what} cannot be sent back from the process of {call.name}: {reason}",
        code="offloading.E005",
        hint="return values, and raise exceptions, that pickle copies",
    )
    if traceback:
        error.add_note(f"in the process that ran it:\n{traceback}")
    return error
