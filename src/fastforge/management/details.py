"""Details: the fields of any declared value, ready for JSON, without secrets."""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Mapping
from typing import Any

from .._utils import first_line, redact
from ..apps import AppConfig
from ..commands import CommandFile
from ..conf import SettingRow
from ..conf.redaction import MASK, is_hidden
from ..lifecycle import Resource
from ..tasks.schedules.schedule import Schedule

__all__ = ["details_of"]


def details_of(value: Any) -> dict[str, Any]:
    """Return what there is to know of a value that an app declares, by field."""
    if isinstance(value, AppConfig):
        names = ("label", "requires", "settings", "commands", "prefix")
        return {name: _shown(name, getattr(value, name)) for name in names}
    if isinstance(value, CommandFile):
        return {"module": value.module, "help": value.help}
    if isinstance(value, SettingRow):  # masked already
        fed = {name: list(variables) for name, variables in value.fields.items() if variables}
        return {"value": value.value, "variables": list(value.variables), "fields": fed}
    if isinstance(value, Schedule):  # its times are among the facts of its entry
        told = {"task": value.task.name, "catch_up": value.catch_up, "overlap": value.overlap}
        return {**told, **_help(value.task)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [each.name for each in dataclasses.fields(value)]
        public = [name for name in fields if name != "name" and not name.startswith("_")]
        return {**{name: _shown(name, getattr(value, name)) for name in public}, **_help(value)}
    if inspect.isclass(value):
        bases = [_qualified(base) for base in value.__bases__]
        return {"class": _qualified(value), "bases": bases, "help": first_line(value.__doc__ or "")}
    plain = {name: each for name, each in _attributes(value) if isinstance(each, str | int | list)}
    return {"class": _qualified(type(value)), **plain}


def _help(value: Any) -> dict[str, str]:
    """Return the first line of what the function behind a value says of itself."""
    text = first_line(getattr(getattr(value, "function", None), "__doc__", None) or "")
    return {"help": text} if text else {}


def _attributes(value: Any) -> list[tuple[str, Any]]:
    public = [name for name in getattr(value, "__dict__", {}) if not name.startswith("_")]
    shown = [(name, _shown(name, getattr(value, name))) for name in public]
    return [(name, each) for name, each in shown if each not in ("", [])]


def _shown(name: str, value: Any) -> Any:
    """Return a field for JSON: functions, classes and resources are there by their names."""
    if is_hidden(name, value):
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, enum.Enum):
        return _shown(name, value.value)
    if isinstance(value, Mapping):
        return {str(key): _shown(str(key), inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_shown(name, inner) for inner in value), key=str)
    if isinstance(value, list | tuple):
        return [_shown(name, inner) for inner in value]
    if isinstance(value, Resource):
        return value.name
    if inspect.isclass(value) or inspect.isroutine(value):
        return _qualified(value)
    return redact(value if isinstance(value, str) else repr(value))


def _qualified(value: Any) -> str:
    module, name = value.__module__, value.__qualname__
    return str(name) if module in (None, "builtins") else f"{module}.{name}"
