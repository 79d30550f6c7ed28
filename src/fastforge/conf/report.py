"""Report: every setting with its value and source, and the `.env.example`, without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from .feeding import Feed, feeds_of
from .recording import EnvVariable
from .redaction import MASK, is_hidden, masked
from .section import Section
from .settings import Settings
from .variables import example, type_name

__all__ = ["SettingRow", "default_text", "env_example", "settings_report"]

_EXAMPLE_HEAD = (
    "# Every variable that the settings read. Copy to .env and fill in.",
    "",
    "# development, test or production; unset means production",
    "FASTFORGE_ENV=development",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One setting as `manage settings` shows it; `value` is ready for JSON and redacted.

    Args:
        name: The upper-case name.
        value: What holds in this environment.
        source: Where it was written, or `default`.
        variables: The environment variables that it is made of, each with where it came from.
        fields: The same for each field of a section, by its path: `default.url`.
    """

    name: str
    value: Any
    source: str
    variables: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]


def settings_report(settings: Settings) -> Iterator[SettingRow]:
    """Yield a row for each setting that an installed app reads."""
    for name, value in settings.items():
        feeds = [*feeds_of(settings, name)]
        shown = _shown(name, value, settings)
        yield SettingRow(
            name=name,
            value=shown,
            source=_source(settings, name),
            variables=_named(feeds),
            fields={
                ".".join(path): _named(feed for feed in feeds if feed.reaches(path))
                for path in _paths(shown)
                if path
            },
        )


def env_example(settings: Settings) -> str:
    """Return the text of `.env.example`: every variable that the settings module reads."""
    lines = [*_EXAMPLE_HEAD]
    seen: set[str] = set()
    for variable in settings.raw.record.variables:
        if variable.name not in seen:
            seen.add(variable.name)
            lines += ["", *_example_lines(variable)]
    return "\n".join([*lines, ""])


def _example_lines(variable: EnvVariable) -> Iterator[str]:
    facts = ["required" if variable.required else "optional", type_name(variable.type)]
    if variable.secret:
        facts.append(f"secret, or the path of a file in {variable.name}_FILE")
    yield f"# {variable.help + '. ' if variable.help else ''}{', '.join(facts)}"
    if variable.required:
        yield f"{variable.name}={'' if variable.secret else example(variable.type)}"
    else:
        yield f"# {variable.name}={'' if variable.secret else default_text(variable.default)}"


def default_text(default: object) -> str:
    """Return a default as it would stand in the environment."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list | tuple):
        return ",".join(map(str, default))
    return json.dumps(default) if isinstance(default, dict) else str(default)


def _source(settings: Settings, name: str) -> str:
    overridden = name in settings.raw.overridden
    return "overridden" if overridden else str(settings.where(name) or "default")


def _named(feeds: Iterable[Feed]) -> tuple[str, ...]:
    variables = (feed.variable for feed in feeds)
    return tuple(dict.fromkeys(f"{each.name} ({each.source})" for each in variables))


def _paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    else:
        yield path


def _shown(name: str, value: Any, settings: Settings) -> Any:
    secrets = settings.raw.record.secrets
    if isinstance(value, Section):
        values = {**dict(value), **_holding(value, settings.environment)}
        return {field: _shown(field, item, settings) for field, item in values.items()}
    if isinstance(value, BaseModel):
        return {field: _shown(field, item, settings) for field, item in value}
    if isinstance(value, dict):
        return {str(key): _shown(str(key), item, settings) for key, item in value.items()}
    if is_hidden(name, value):
        return MASK
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(name, item, settings) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return masked(value if isinstance(value, str) else repr(value), secrets)


def _holding(section: Section, environment: str) -> dict[str, Any]:
    """Return what holds for the fields whose default depends on the environment."""
    defaults = section.defaults_in(environment)
    return {name: value for name, value in defaults.items() if getattr(section, name) is None}
