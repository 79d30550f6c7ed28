"""Hooks: what Python itself would write to standard error becomes lines: warnings, and exceptions
that nobody has handled."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TextIO

from ...exceptions import ErrorGroup, ForgeError
from .rendering import safe_repr
from .stream import Stream

__all__ = ["handle_loop_errors", "hooked", "refusal_fields"]

PROCESS: Final = "fastforge.process"
WARNINGS: Final = "py.warnings"
LONGEST_OBJECT: Final = 200

Undo = Callable[[], None]


def hooked(stream: Stream) -> Undo:
    """Put our hooks in place of Python's; return what puts back what was there.

    Surprises: a hook that somebody else has put in after ours stays.
    """
    hooks = _Hooks(stream)
    undone = [
        _replaced(sys, "excepthook", hooks.uncaught),
        _replaced(sys, "unraisablehook", hooks.unraisable),
        _replaced(threading, "excepthook", hooks.uncaught_in_thread),
        _replaced(warnings, "showwarning", hooks.warned(warnings.showwarning)),
    ]

    def undo() -> None:
        for each in undone:
            each()

    return undo


def _replaced(holder: Any, name: str, hook: Callable[..., None]) -> Undo:
    before = getattr(holder, name)
    setattr(holder, name, hook)

    def undo() -> None:
        if getattr(holder, name) == hook:
            setattr(holder, name, before)

    return undo


class _Hooks:
    """Python's hooks, each as one line."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def uncaught(self, kind: type[BaseException], error: BaseException, traceback: Any) -> None:
        """Tell of the exception that ends the process."""
        if isinstance(error, KeyboardInterrupt):
            self._stream.write("warning", "interrupted", PROCESS)
            return
        for mistake in error.errors if isinstance(error, ErrorGroup) else (error,):
            is_ours = isinstance(mistake, ForgeError)
            self._stream.write(
                "critical",
                str(mistake.args[0]) if is_ours else f"the process ends: {kind.__name__}",
                PROCESS,
                refusal_fields(mistake),
                error=None if is_ours else mistake,
            )

    def uncaught_in_thread(self, about: threading.ExceptHookArgs) -> None:
        """Tell of the exception that ends a thread."""
        if about.exc_type is SystemExit:
            return
        name = about.thread.name if about.thread is not None else ""
        event = f"a thread ends: {about.exc_type.__name__}"
        self._stream.write("error", event, PROCESS, {"thread": name}, error=about.exc_value)

    def unraisable(self, about: Any) -> None:
        """Tell of an exception that has nowhere to go: of a finalizer, for example."""
        fields = {"object": safe_repr(about.object)[:LONGEST_OBJECT]}
        event = f"{about.err_msg or 'an exception was ignored'}: {about.exc_type.__name__}"
        self._stream.write("error", event, PROCESS, fields, error=about.exc_value)

    def warned(self, before: Callable[..., None]) -> Callable[..., None]:
        """Return what tells of a warning; those that are to be written to a file are no lines."""
        log = logging.getLogger(WARNINGS)

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if file is not None:
                before(message, category, filename, lineno, file, line)
                return
            fields = {"category": category.__name__, "file": filename, "line": lineno}
            log.warning("%s", message, extra=fields)

        return show


def refusal_fields(error: BaseException) -> dict[str, Any]:
    """Return what an error of ours says besides its message."""
    if not isinstance(error, ForgeError):
        return {}
    fields = {"code": error.code, "hint": error.hint, "where": str(error.where or "")}
    return {name: value for name, value in fields.items() if value}


def handle_loop_errors() -> None:
    """Let what the running event loop has to tell be one line, unless the project handles it."""
    loop = asyncio.get_running_loop()
    if loop.get_exception_handler() is None:
        loop.set_exception_handler(_handle_loop_error)


def _handle_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    fields: dict[str, Any] = {}
    with suppress(Exception):  # of what somebody calls a task
        subject = context.get("task") or context.get("future")
        if isinstance(subject, asyncio.Task):
            fields["task_name"] = subject.get_name()
            fields["coroutine"] = getattr(subject.get_coro(), "__qualname__", "")
        elif "handle" in context:
            fields["handle"] = safe_repr(context["handle"])[:LONGEST_OBJECT]
    error = context.get("exception")
    message = context.get("message") or "an error in the event loop"
    # Not from here: nobody's call is to be blamed.
    exc_info = (type(error), error, error.__traceback__) if error else None
    logging.getLogger("asyncio").error("%s", message, exc_info=exc_info, extra=fields)
