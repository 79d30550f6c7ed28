"""Stream: where events become lines, whoever tells of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar, copy_context
from typing import Any, Final

from ..context import context_fields
from ..failures import failure_fields, failure_text
from ..lines import LineBuffer
from .clock import timestamp
from .hiding import shown
from .rendering import Record

__all__ = ["AT_ONCE", "Stream", "bound_fields"]

AT_ONCE: Final = frozenset({"warning", "error", "critical"})
"""The levels of lines that never wait."""
RESERVED: Final = frozenset({"timestamp", "level", "event", "logger", "pid", "role", "exception"})
"""What a line says of itself; what somebody adds under these names has a `_` behind it."""

_BOUND: Final = "structlog_"
"""How the context variables begin that structlog keeps what is bound in."""

Render = Callable[[Record], bytes]
Tell = Callable[[BaseException], Any]


class Stream:
    """The lines of this process: each event gets the time, the ids of what runs here, and a form.

    Nothing that is written fails, whatever its values do; a line that cannot be rendered says so.

    Args:
        lines: Where they go.
        render: Gives a record its form.
        role: What this process is: `web`, `worker`, `manager`, `command`.
        fields: What each line says besides.
        is_text: Whether the form is one for people, in which an exception is a text.

    Attributes:
        is_text: The same.
    """

    __slots__ = ("_always", "_render", "_role", "_tell", "is_text", "lines")

    def __init__(
        self,
        lines: LineBuffer,
        render: Render,
        *,
        role: str,
        fields: Mapping[str, Any] | None = None,
        is_text: bool = False,
    ) -> None:
        self.lines = lines
        self.is_text = is_text
        self._render = render
        self._tell: Tell = failure_text if is_text else failure_fields
        self._role = role
        self._always = dict(fields or {})

    def write(
        self,
        level: str,
        event: str,
        logger: str,
        fields: Mapping[str, Any] | None = None,
        *,
        error: BaseException | None = None,
        exception: Any = None,
        at_ms: int | None = None,
        pid: int | None = None,
    ) -> None:
        """Write what has happened.

        Args:
            level: `debug` to `critical`.
            event: What has happened, in a few words.
            logger: Who says so.
            fields: What there is to say besides.
            error: The exception that is to be told.
            exception: What is known of one that was raised in another process.
            at_ms: When it was, in milliseconds since the epoch; now unless given.
            pid: The process in which it was; this one unless given.
        """
        record: Record = {
            "timestamp": timestamp(time.time_ns() // 1_000_000 if at_ms is None else at_ms),
            "level": level,
            "event": "",
            "logger": logger,
            "pid": _here.pid if pid is None else pid,
            "role": self._role,
            **self._always,
        }
        try:
            more = bound_fields()
            if fields:
                more |= fields
            if not RESERVED.isdisjoint(more):
                more = _renamed(more)
            record["event"], told = shown(event, more)
            record |= context_fields()
            record |= told
            if error is not None:
                exception = self._tell(error)
            if exception is not None:
                record["exception"] = exception
            line = self._render(record)
        except Exception as failure:  # of a value, which is somebody else's
            line = self._spoilt(record, failure)
        self.lines.write(line, at_once=level in AT_ONCE)

    def lean_line(self, event: str, logger: str, at_ms: int, fields: Mapping[str, Any]) -> bytes:
        """Return the line of something that happens all the time, at the level `info`.

        It costs a fraction of what `write` does: nothing is looked through for secrets, and neither
        what is bound here nor the ids of what runs here are added.

        Args:
            event: What has happened.
            logger: Who says so.
            at_ms: When it was, in milliseconds since the epoch.
            fields: All that there is to say.
        """
        return self._render(
            {
                "timestamp": timestamp(at_ms),
                "level": "info",
                "event": event,
                "logger": logger,
                "pid": _here.pid,
                "role": self._role,
                **self._always,
                **fields,
            }
        )

    def _spoilt(self, record: Record, failure: Exception) -> bytes:
        """Return a line that lacks what could not be written, and says so."""
        told = {name: record[name] for name in ("timestamp", "level", "event", "logger", "pid")}
        told["event"] = told["event"] or "an event that cannot be written"
        try:
            return self._render({**told, "role": self._role, "lost": type(failure).__name__})
        except Exception:  # nothing is left to try
            return b""


def bound_fields() -> dict[str, Any]:
    """Return what `structlog.contextvars.bind_contextvars` has bound here.

    It is read without structlog, which only those import who use it.
    """
    names = _names
    bound: dict[str, Any] = {}
    for variable, value in copy_context().items():
        name = names.get(variable)
        if name is None:
            name = names[variable] = _bound_name(variable)
        if name and value is not Ellipsis:
            bound[name] = value
    return bound


def _bound_name(variable: ContextVar[Any]) -> str:
    """Return under which name a variable was bound; nothing for one that was not."""
    return variable.name[len(_BOUND) :] if variable.name.startswith(_BOUND) else ""


_names: Final[dict[ContextVar[Any], str]] = {}
"""Of all variables that were seen: there are few, and they live as long as the process."""


class _Here:
    """The number of this process, for less than asking for it."""

    __slots__ = ("pid",)

    def __init__(self) -> None:
        self.ask()

    def ask(self) -> None:
        self.pid = os.getpid()


_here: Final = _Here()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_here.ask)


def _renamed(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}_" if name in RESERVED else name: value for name, value in fields.items()}
