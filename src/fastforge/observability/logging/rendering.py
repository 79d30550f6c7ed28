"""Rendering: a record becomes one line of JSON, whatever is in it, and never a long one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

__all__ = ["Json", "Record", "safe_repr", "safe_text"]

Record = dict[str, Any]

OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATACLASS
DEEPEST: Final = 8
INTEGER_BITS: Final = 64
SHORTEST_BYTES: Final = 256
"""To what each field is cut in a line that is too long as a whole."""
_CUT: Final = "..."
# What JSON does not escape, and a terminal may take for the beginning of a command; what turns the
# direction of a text, so that it reads as another one; what is not seen, or ends a line for some.
_STEERING: Final = re.compile(
    rb"\x7f|\xc2[\x80-\x9f\xad]|\xd8\x9c|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]"
    rb"|\xef\xbb\xbf|\xf3\xa0[\x80-\x81][\x80-\xbf]"
)


class Json:
    """Renders records, each as one object.

    Args:
        max_field_bytes: How long one field may be; an exception has only the line's limit.
        max_line_bytes: How long a line may be.
    """

    def __init__(self, *, max_field_bytes: int, max_line_bytes: int) -> None:
        self._max_field_bytes = max_field_bytes
        self._max_line_bytes = max_line_bytes

    def __call__(self, record: Record) -> bytes:
        """Return a line, its end included."""
        line = _dumped(record)
        if len(line) > self._max_field_bytes:
            line = self._shortened(record)
        if line.isascii() and b"\x7f" not in line:
            return line
        return _STEERING.sub(_escaped, line)

    def _shortened(self, record: Record) -> bytes:
        limits = dict.fromkeys(record, self._max_field_bytes)
        limits["exception"] = self._max_line_bytes
        line = _dumped({name: _cut(value, limits[name]) for name, value in record.items()})
        if len(line) <= self._max_line_bytes:
            return line
        return _dumped({name: _cut(value, SHORTEST_BYTES) for name, value in record.items()})


def _escaped(found: re.Match[bytes]) -> bytes:
    return json.dumps(found[0].decode()).strip('"').replace("\x7f", "\\u007f").encode()


def safe_text(value: object) -> str:
    """Return something as text; what it is where that fails."""
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def safe_repr(value: object) -> str:
    """Return how something describes itself; its type where that fails."""
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _dumped(record: Record) -> bytes:
    try:
        return orjson.dumps(record, safe_repr, OPTIONS)
    except TypeError:  # a key that is no text, an integer of more than 64 bits, half a surrogate
        return orjson.dumps(_plain(record, DEEPEST), safe_repr, OPTIONS)


def _plain(value: Any, depth: int) -> Any:
    """Return something as values that JSON has for certain."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and value.bit_length() < INTEGER_BITS:
        return value
    if depth and isinstance(value, Mapping):
        return {_plain(str(key), 0): _plain(each, depth - 1) for key, each in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [_plain(each, depth - 1) for each in value]
    return _plain(safe_repr(value), 0)


def _cut(value: Any, limit_bytes: int) -> Any:
    """Return a value, or the beginning of it as text."""
    if isinstance(value, str):
        content = value.encode("utf-8", "backslashreplace")
    elif isinstance(value, int | float | None):
        return value
    else:
        content = _dumped({"": value})[4:-2]  # what stands between {"":  and }
    if len(content) <= limit_bytes:
        return value
    return content[: limit_bytes - len(_CUT)].decode("utf-8", "ignore") + _CUT
