"""Pattern: the names of one channel's instances, with typed parameters: `room:{room_id:int}`."""

from __future__ import annotations

import functools
import keyword
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from ..._utils import did_you_mean
from ...exceptions import ComponentError
from ..errors import ChannelError
from ..sockets.requests import LONGEST_NAME

__all__ = ["Parameter", "Pattern"]

SEPARATOR: Final = ":"
LARGEST_INT: Final = 2**63 - 1
TAKEN: Final = frozenset({"self", "cls", "connection", "message", "exclude", "immediately"})
"""What else methods of a channel take by name."""

_LITERAL: Final = re.compile(r"[\w.-]+", re.ASCII)
_PARAMETER: Final = re.compile(r"\{(?P<name>[A-Za-z_]\w*)(?::(?P<type>\w+))?\}", re.ASCII)
# A value has one way to be written, so that nobody is in two rooms that are one.
_FORMS: Final[Mapping[str, tuple[re.Pattern[str], Callable[[str], Any]]]] = MappingProxyType(
    {
        "str": (re.compile(r"[^\s:{}\x00-\x1f\x7f-\x9f\ud800-\udfff]+"), str),
        "int": (re.compile(r"0|-?[1-9][0-9]{0,18}"), int),
        "uuid": (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), uuid.UUID),
    }
)
_TYPES: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {"str": str, "int": int, "uuid": uuid.UUID}
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of a name that differs.

    Args:
        name: The argument that it becomes.
        form: `str`, `int` or `uuid`.
    """

    name: str
    form: str

    @property
    def type(self) -> type[Any]:
        """What its values are."""
        return _TYPES[self.form]

    def read(self, text: str) -> Any:
        """Return the value of a text; None where it is none in its one form."""
        shape, convert = _FORMS[self.form]
        if not shape.fullmatch(text):
            return None
        value = convert(text)
        return None if self.form == "int" and abs(value) > LARGEST_INT else value

    def write(self, value: object) -> str:
        """Return the text of a value.

        Raises:
            ValueError: It is of another type, or has characters that no name has.
        """
        if not isinstance(value, self.type) or isinstance(value, bool):
            raise ValueError(f"it takes {self.form}")  # noqa: TRY004 - one error for both
        text = str(value)
        if self.read(text) is None:
            raise ValueError("a part of a name has no spaces, no colons and no braces")
        return text


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which names belong to a channel, and what their parts mean.

    Args:
        text: As it was written.
        parts: What stands between the colons.
    """

    text: str
    parts: Sequence[str | Parameter]

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Read a pattern.

        ```python
        assert Pattern.of("room:{room_id:int}").match("room:7") == {"room_id": 7}
        ```

        Raises:
            ComponentError: A part is neither a word nor one parameter, or a parameter comes twice.
        """
        parts = tuple(_part(each, text) for each in _split(text))
        names = [part.name for part in parts if isinstance(part, Parameter)]
        if len(set(names)) < len(names):
            raise _no_pattern(text, "a parameter comes twice")
        if isinstance(parts[0], Parameter):
            raise _no_pattern(text, "it has to begin with a word")
        return cls(text, parts)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What differs, in order."""
        return tuple(part for part in self.parts if isinstance(part, Parameter))

    def match(self, name: str) -> dict[str, Any] | None:
        """Return the parameters of a name; None for one of another channel."""
        texts = name.split(SEPARATOR)
        if len(texts) != len(self.parts) or len(name) > LONGEST_NAME:
            return None
        found: dict[str, Any] = {}
        for part, text in zip(self.parts, texts, strict=True):
            if isinstance(part, str):
                if part != text:
                    return None
                continue
            value = part.read(text)
            if value is None:
                return None
            found[part.name] = value
        return found

    def name_of(self, parameters: Mapping[str, Any]) -> str:
        """Return the name with these parameters.

        Raises:
            ChannelError: One is missing, unknown or does not fit.
        """
        wanted = {part.name for part in self.parameters}
        if wanted != parameters.keys():
            raise self._wrong_parameters(wanted, parameters)
        name = SEPARATOR.join(
            part if isinstance(part, str) else self._written(part, parameters[part.name])
            for part in self.parts
        )
        if len(name) > LONGEST_NAME:
            raise ChannelError(
                f"the name of a channel {self.text!r} has {len(name)} characters",
                code="channels.E012",
                hint=f"it may have {LONGEST_NAME}",
            )
        return name

    def overlaps(self, other: Pattern) -> bool:
        """Return whether some name may belong to both."""
        return len(self.parts) == len(other.parts) and all(map(_meet, self.parts, other.parts))

    def _written(self, part: Parameter, value: object) -> str:
        try:
            return part.write(value)
        except ValueError as error:
            raise ChannelError(
                f"{part.name}={value!r} is no part of a name {self.text!r}",
                code="channels.E012",
                hint=str(error),
            ) from None

    def _wrong_parameters(self, wanted: set[str], given: Mapping[str, Any]) -> ChannelError:
        missing = ", ".join(sorted(wanted - given.keys()))
        unknown = sorted(given.keys() - wanted)
        told = " and ".join(
            [f"lacks {missing}"] * bool(missing) + [f"has no {', '.join(unknown)}"] * bool(unknown)
        )
        near = did_you_mean(unknown[0], wanted) if unknown else ""
        return ChannelError(
            f"a channel {self.text!r} {told}",
            code="channels.E011",
            hint=near or f"give {', '.join(sorted(wanted)) or 'no parameters'}",
        )


def _split(text: str) -> list[str]:
    """Split at the colons that are outside of braces."""
    return re.split(r":(?![^{]*\})", text)


@functools.cache
def _forms() -> str:
    return ", ".join(_FORMS)


def _part(text: str, pattern: str) -> str | Parameter:
    if _LITERAL.fullmatch(text):
        return text
    found = _PARAMETER.fullmatch(text)
    if found is None:
        raise _no_pattern(pattern, f"{text!r} is neither a word nor one {{name:type}}")
    form = found["type"] or "str"
    if form not in _FORMS:
        near = did_you_mean(form, _FORMS)
        raise _no_pattern(pattern, f"there is no type {form!r}", near or f"there are {_forms()}")
    if found["name"] in TAKEN or keyword.iskeyword(found["name"]):
        raise _no_pattern(
            pattern,
            f"a parameter cannot be called {found['name']!r}",
            "publishing and methods take something else by that name: choose another",
        )
    return Parameter(found["name"], form)


def _meet(one: str | Parameter, other: str | Parameter) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    if isinstance(one, Parameter) and isinstance(other, Parameter):
        return "str" in (one.form, other.form) or one.form == other.form
    parameter, text = (one, other) if isinstance(one, Parameter) else (other, one)
    assert isinstance(parameter, Parameter)
    assert isinstance(text, str)
    return parameter.read(text) is not None


def _no_pattern(text: str, problem: str, hint: str = "") -> ComponentError:
    return ComponentError(
        f"{text!r} is no pattern of a channel: {problem}",
        code="channels.E001",
        hint=hint or 'write words and parameters between colons: "room:{room_id:int}"',
    )
