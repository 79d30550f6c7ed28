"""Console: a record as a text for whoever develops: aligned, coloured where a terminal reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TextIO

from ..._utils import printable
from .rendering import Record, safe_repr

__all__ = ["Console", "is_coloured"]

LEVEL_WIDTH: Final = 8
LOGGER_WIDTH: Final = 20
EVENT_WIDTH: Final = 32
LONGEST_VALUE: Final = 400
BLOCKS: Final = ("exception", "traceback", "stack")
"""What has lines of its own, below the first."""
LEFT_OUT: Final = frozenset(
    {"timestamp", "level", "event", "logger", "pid", "role", "trace_id", "span_id", *BLOCKS}
)
"""What stands elsewhere in the text, or says nothing where one process writes to one terminal."""
NEWS: Final = frozenset({"debug", "info"})
OF_FAILURES: Final = frozenset({"request_id"})
"""What is shown where something has failed, for whoever has the answer that names it."""

DIM: Final = "2"
BOLD: Final = "1"
CYAN: Final = "36"
LEVELS: Final = {
    "debug": "34", "info": "32", "warning": "33", "error": "31", "critical": "1;31",
}  # fmt: skip


class Console:
    """Renders records for a person.

    ```text
    12:03:44.123 info     shop.orders          order placed                     order_id=7
    ```

    Args:
        coloured: Whether colours are wanted.
        fields: What every line says, which need not stand there.
    """

    def __init__(self, *, coloured: bool, fields: Iterable[str] = ()) -> None:
        self._coloured = coloured
        self._hidden = LEFT_OUT | set(fields)

    def __call__(self, record: Record) -> bytes:
        """Return the text, its end included."""
        lines = [self._first(record), *self._rest(record)]
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")

    def _first(self, record: Record) -> str:
        level = printable(str(record["level"]))
        event = printable(str(record["event"]))
        fields = dict(self._fields(record, level))
        shown = " ".join(f"{self._in(CYAN, name)}={value}" for name, value in fields.items())
        padded = event.ljust(EVENT_WIDTH) if shown else event
        parts = (
            self._in(DIM, _time_of(record["timestamp"])),
            self._in(LEVELS.get(level, BOLD), level.ljust(LEVEL_WIDTH)),
            self._in(DIM, printable(str(record["logger"])).ljust(LOGGER_WIDTH)),
            self._in(BOLD, padded) if level not in NEWS else padded,
            *((shown,) if shown else ()),
        )
        return " ".join(parts)

    def _fields(self, record: Mapping[str, Any], level: str) -> Iterator[tuple[str, str]]:
        hidden = self._hidden | OF_FAILURES if level in NEWS else self._hidden
        for name, value in record.items():
            if name not in hidden:
                yield printable(str(name)), _value(value)

    def _rest(self, record: Record) -> Iterator[str]:
        for name in BLOCKS:
            for line in str(record.get(name) or "").splitlines():
                colour = DIM if line[:1].isspace() else LEVELS["error"]
                yield f"    {self._in(colour, printable(line))}"

    def _in(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured and colour else text


def is_coloured(stream: TextIO | None) -> bool:
    """Return whether colours are wanted: NO_COLOR and FORCE_COLOR decide, else a terminal does."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    is_terminal = stream is not None and not stream.closed and stream.isatty()
    return is_terminal and os.environ.get("TERM") != "dumb"


def _time_of(timestamp: Any) -> str:
    """Return the time of the day where the terminal is."""
    try:
        return datetime.fromisoformat(str(timestamp)).astimezone().strftime("%H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError, OSError):
        return str(timestamp)


def _value(value: Any) -> str:
    """Return a value as it is read best: a text with spaces in quotes, the rest as it is."""
    text = value if isinstance(value, str) else safe_repr(value)
    text = printable(text)
    if len(text) > LONGEST_VALUE:
        text = text[:LONGEST_VALUE] + "..."
    needs_quotes = isinstance(value, str) and (not text or " " in text or "=" in text)
    return f"'{text}'" if needs_quotes and "'" not in text else text
