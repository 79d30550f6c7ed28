"""Values: what may be shown of a variable. Its `repr` is anybody's code."""

from __future__ import annotations

import ctypes
import dataclasses
import threading
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Final

from pydantic import BaseModel

from ...redaction import MASK, is_sensitive, redacted_text

__all__ = ["Values"]

LONGEST: Final = 400
"""Characters that are shown of a text, and of whatever else one value comes to."""
MOST_ITEMS: Final = 20
DEEPEST: Final = 4
QUICK_S: Final = 0.2
"""How long a `repr` may take, in seconds."""
MOST_SLOW: Final = 2
"""After so many that took longer, none is called any more."""
LARGEST_NUMBER: Final = 1 << 256
BRACKETS: Final[Mapping[type, tuple[str, str]]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


class Values:
    """Shows values without passwords, within bounds, and whatever their classes do.

    Built-in containers are looked into and never asked; of a dataclass or a model the fields are
    shown, so that those with sensitive names are masked. Everything else is asked for its `repr`,
    in a thread that has `QUICK_S`.

    ```python
    values = Values()
    assert values.shown({"id": 7, "password": "hunter2-hunter3"}) == "{'id': 7, 'password': ***}"
    assert values.secrets == {"hunter2-hunter3"}
    ```

    Attributes:
        secrets: The texts under sensitive names that it has met, to be masked everywhere else.
    """

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self._slow = 0

    def named(self, name: str, value: object) -> str:
        """Return what may be shown of a value that has a name."""
        if is_sensitive(name) and value is not None and not isinstance(value, bool):
            self.keep(value)
            return MASK
        return self.shown(value)

    def shown(self, value: object) -> str:
        """Return what may be shown of a value."""
        try:
            return _cut(self._shown(value, 0))
        except Exception as error:  # a container that another thread changes meanwhile
            return f"<{type(value).__name__}: {type(error).__name__}>"

    def text(self, error: BaseException) -> str:
        """Return what an exception says of itself."""
        return redacted_text(self._asked(str, error, whole=True))

    def keep(self, value: object) -> None:
        """Remember a secret."""
        inside = getattr(value, "get_secret_value", None)
        found = inside() if inside is not None and not isinstance(value, type) else value
        if isinstance(found, bytes):
            found = found.decode("utf-8", "replace")
        if isinstance(found, str):
            self.secrets.add(found)

    def _shown(self, value: Any, depth: int) -> str:
        kind = type(value)
        if kind in (str, bytes):
            return redacted_text(repr(value[:LONGEST])) + ("..." if len(value) > LONGEST else "")
        if kind is int and abs(value) > LARGEST_NUMBER:  # Python refuses to write out a long one
            return f"<int of {value.bit_length()} bits>"
        if value is None or kind in (bool, int, float, complex):
            return repr(value)
        if depth >= DEEPEST:
            return "..."
        if kind is dict:
            return f"{{{self._pairs(value.items(), ': ', depth, repr)}}}"
        if kind in BRACKETS:
            return self._listed(value, depth)
        fields = _fields(value)
        if fields is not None:
            return f"{kind.__name__}({self._pairs(fields.items(), '=', depth, str)})"
        return self._plain(value)

    def _listed(self, value: Any, depth: int) -> str:
        opening, closing = BRACKETS[type(value)]
        items = [self._shown(each, depth + 1) for each in islice(value, MOST_ITEMS)]
        if len(value) > MOST_ITEMS:
            items.append(f"... {len(value) - MOST_ITEMS} more")
        comma = "," if type(value) is tuple and len(value) == 1 else ""
        return f"{opening}{', '.join(items)}{comma}{closing}"

    def _pairs(
        self,
        pairs: Iterable[tuple[Any, Any]],
        between: str,
        depth: int,
        write: Callable[[str], str],
    ) -> str:
        found: list[str] = []
        for number, (key, value) in enumerate(pairs):
            if number == MOST_ITEMS:
                found.append("...")
                break
            is_text = type(key) is str
            name = write(key) if is_text else self._shown(key, depth + 1)
            if is_text and is_sensitive(key) and value is not None:
                self.keep(value)
                found.append(f"{name}{between}{MASK}")
            else:
                found.append(f"{name}{between}{self._shown(value, depth + 1)}")
        return ", ".join(found)

    def _plain(self, value: object) -> str:
        kind = type(value)
        if kind.__repr__ is object.__repr__:
            return f"<{kind.__module__}.{kind.__qualname__}>"
        return redacted_text(self._asked(repr, value))

    def _asked(self, ask: Callable[[Any], str], value: object, *, whole: bool = False) -> str:
        """Call `repr` or `str` in a thread of its own, for as long as it is quick."""
        name = type(value).__name__
        if self._slow >= MOST_SLOW:
            return f"<{name}>"
        answers: list[str] = []

        def call() -> None:
            try:
                text = ask(value)
                answers.append(text if whole else _cut(text))
            except BaseException as error:
                answers.append(f"<{name}: its {ask.__name__}() raises {type(error).__name__}>")

        thread = threading.Thread(target=call, daemon=True, name="fastforge-repr")
        thread.start()
        thread.join(QUICK_S)
        if answers:
            return answers[0]
        self._slow += 1
        _stop(thread)
        return f"<{name}: its {ask.__name__}() takes too long>"


def _fields(value: Any) -> Mapping[str, Any] | None:
    """Return the fields of a model or a dataclass whose `repr` is the usual one, unasked."""
    kind: Any = type(value)
    if isinstance(value, BaseModel):
        return value.__dict__ if kind.__repr__ is BaseModel.__repr__ else None
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is None or not parameters.repr:
        return None
    names = [field.name for field in dataclasses.fields(kind) if field.repr]
    return {name: object.__getattribute__(value, name) for name in names}


def _stop(thread: threading.Thread) -> None:
    """Let a thread end that counts for ever: it would slow the process down from now on."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
        )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
