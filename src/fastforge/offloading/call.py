"""Call: one function that was handed over, and how it ended."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from .._utils import without_partials
from ..exceptions import Location
from .errors import OffloadError
from .gate import Gate, Place

__all__ = ["Call", "current_call", "name_of", "refuse_async"]

current_call: Final[ContextVar[Call | None]] = ContextVar("fastforge_offloaded", default=None)
"""The offloaded function that runs here, or that has called back to here."""


class Call:
    """A function with its arguments; later what came of it.

    Attributes:
        name: The function's, with its module.
        has_begun: Whether it was handed to a thread.
        is_abandoned: Whether nobody waits for it any more.
        has_ended: Whether it has returned or raised.
        thread: The thread that it was given to.
        places: The places that it has, by their gates.
    """

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args
        self.name = name_of(function)
        self.has_begun = False
        self.is_abandoned = False
        self.has_ended = False
        self.thread: threading.Thread | None = None
        self.places: dict[Gate, Place] = {}
        self._caller = _running_caller()
        self._value: Any = None
        self._error: BaseException | None = None

    async def enter(self, gate: Gate) -> None:
        """Take a place in a gate, on loan when the function that called back has one."""
        self.places[gate] = await gate.enter(self._lender(gate))

    def here(self) -> Any:
        """Call the function where we are: the usual way to run it."""
        return self.function(*self.args)

    def run(self, way: Callable[[Call], Any], tell_end: Callable[[], None]) -> None:
        """Run it, in a thread. Whatever it raises is kept: also what would end the event loop.

        Args:
            way: What calls the function, here or elsewhere.
            tell_end: Is called at the end when the caller has left: nobody else would learn of it.
        """
        # First said, then asked, here and where the caller leaves: one of the two sees the other.
        self.thread = threading.current_thread()
        if not self.is_abandoned:  # else its caller left before it began
            current_call.set(self)
            try:
                self._value = way(self)
            except BaseException as error:
                self._error = error
        self.has_ended = True
        if self.is_abandoned:
            tell_end()

    def abandon(self) -> bool:
        """Leave it to its thread; return whether nothing runs: not begun, or ended by now."""
        self.is_abandoned = True
        return self.thread is None or self.has_ended

    def leave(self) -> None:
        """Give its places back, the last one first, and forget its arguments."""
        for place in reversed(self.places.values()):
            place.end()
        self.function, self.args = _forgotten, ()

    def result(self) -> Any:
        """Return what it returned, or raise what it raised."""
        if self._error is None:
            return self._value
        try:
            raise self._error
        finally:
            self._error = None  # its traceback holds this very frame

    def _lender(self, gate: Gate) -> Place | None:
        caller = self._caller
        while caller is not None:
            place = caller.places.get(gate)
            if place is not None and not place.has_ended:
                return place
            caller = caller._caller
        return None


def _running_caller() -> Call | None:
    """Return the innermost function that has called back to here and still runs."""
    caller = current_call.get()
    while caller is not None and caller.has_ended:
        caller = caller._caller
    return caller


def refuse_async(function: Callable[..., Any]) -> None:
    """Refuse what belongs on the event loop, and what has been called already.

    Raises:
        OffloadError: It is an `async def`, or no function.
    """
    if not callable(function):
        raise OffloadError(
            f"offload is given a {type(function).__qualname__}, which is no function",
            code="offloading.E001",
            hint="give the function and its arguments, not what it returns: offload(render, 7)",
        )
    target: Any = without_partials(function)
    if inspect.iscoroutinefunction(target):
        raise OffloadError(
            f"{name_of(function)} is an async function and cannot be offloaded",
            code="offloading.E001",
            hint="await it; offload takes plain functions that block",
            where=Location.of(target),
        )


def name_of(function: Any) -> str:
    """Return what messages call a function: its module and its qualified name."""
    function = without_partials(function)
    if not hasattr(function, "__qualname__"):
        function = type(function)
    module = getattr(function, "__module__", None) or ""
    return f"{module}.{function.__qualname__}".lstrip(".")


def _forgotten() -> None: ...
