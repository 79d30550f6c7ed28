"""Settings: the validated, frozen values of one project."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from .._utils import did_you_mean, nearest
from ..exceptions import ErrorGroup, ForgeError, Location, SettingsError
from .module import RawSettings
from .recording import Placeholder, recording
from .section import REQUIRED, Section, Setting, validation_errors

__all__ = ["Settings", "validate"]

S = TypeVar("S", bound=Section)


class Settings:
    """The settings of one project, by name or by section type.

    `settings["DATABASES"]` gives a value, `settings.section(Orders)` a section with its type.
    Handlers, tasks and commands do not read this object: they ask for a section by annotation.
    """

    def __init__(
        self, values: Mapping[str, Any], *, declared: Iterable[Setting], raw: RawSettings
    ) -> None:
        self._values = MappingProxyType(dict(values))
        self.declared = tuple(declared)
        self.raw = raw
        self.environment = raw.environment.name
        self.root: Path = raw.root
        self.module = raw.module

    def __getitem__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        raise SettingsError(
            f"no installed app reads the setting {name}",
            code="conf.E015",
            hint=did_you_mean(name, self._values) or "manage settings lists those that there are",
        )

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return every setting that an installed app reads, with its value."""
        return self._values.items()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Settings):
            return NotImplemented
        mine, its = (self.module, self.environment), (other.module, other.environment)
        return mine == its and self._values == other._values

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def section(self, section: type[S]) -> S:
        """Return a section by its type.

        Raises:
            SettingsError: No installed app declares it.
        """
        value = self._values.get(section.setting_name)
        if isinstance(value, section):
            return value
        raise SettingsError(
            f"no installed app declares the section {section.__name__}",
            code="conf.E016",
            hint=f"add it to the `settings` of an AppConfig: settings = ({section.__name__},)",
        )

    @property
    def debug(self) -> bool:
        """Whether DEBUG is on; by default exactly in development."""
        return bool(self._values.get("DEBUG", self.environment == "development"))

    def where(self, name: str) -> Location | None:
        """Return where a setting was written; None when its default holds, or an overriding."""
        return self.raw.location(name) if name in self.raw.values else None

    def __repr__(self) -> str:
        return f"<Settings({self.module}, {self.environment}, {len(self._values)} settings)>"


def validate(raw: RawSettings, declared: Iterable[Setting]) -> Settings:
    """Turn the raw names of a settings module into typed values.

    Raises:
        ErrorGroup: Everything that is wrong: what reading found, unknown names, wrong values.
    """
    declarations = {setting.name: setting for setting in declared}
    errors = [*raw.errors, *_unknown(raw, declarations)]
    values: dict[str, Any] = {}
    for setting in declarations.values():
        try:
            values[setting.name] = _value(setting, raw)
        except ErrorGroup as group:
            errors.extend(group.errors)
        except ForgeError as error:
            errors.append(error)
    if errors:  # one value, used several times in a line, is one mistake
        raise ErrorGroup([*{str(error): error for error in errors}.values()])
    return Settings(values, declared=declarations.values(), raw=raw)


def _unknown(raw: RawSettings, declared: Mapping[str, Setting]) -> Iterator[SettingsError]:
    for name in raw.values:
        if name not in declared:
            near = _field_meant(name, declared) or did_you_mean(name, declared)
            yield SettingsError(
                f"no installed app reads the setting {name}",
                code="conf.E017",
                hint=near or "remove it, install the app that reads it, or begin it with _",
                where=raw.location(name),
            )


def _field_meant(name: str, declared: Mapping[str, Setting]) -> str:
    """Return how a field is written that somebody has set by itself, as in other frameworks.

    MAX_BODY_BYTES or SERVER_MAX_BODY_BYTES, where `SERVER = Server(max_body_bytes=...)` is meant.
    """
    found: list[str] = []
    for setting in declared.values():
        section = setting.type
        if isinstance(section, type) and issubclass(section, Section):
            fields = section.model_fields
            inner = name.removeprefix(f"{setting.name}_").lower()
            field = inner if inner in fields else None
            if field is None and inner != name.lower():
                field = nearest(inner, fields)
            if field:
                found.append(f"write {setting.name} = {section.__name__}({field}=...)")
    return found[0] if len(found) == 1 else ""


def _value(setting: Setting, raw: RawSettings) -> Any:
    if setting.name not in raw.values:
        return _default(setting, raw)
    value = raw.values[setting.name]
    if isinstance(value, Placeholder):
        return value  # recorded where it was read; the load fails anyway
    with recording(raw.record):
        try:
            return TypeAdapter(setting.type).validate_python(value)
        except ValidationError as error:
            faults = list(_faults(error, setting, raw))
            if not faults:  # placeholders alone, whose causes are in `raw.errors`
                return None
            raise ErrorGroup(faults) from error
        except ForgeError as error:
            error.where = error.where or raw.location(setting.name)
            raise


def _faults(error: ValidationError, setting: Setting, raw: RawSettings) -> Iterator[SettingsError]:
    assignment = raw.assignment(setting.name)

    def locate(loc: tuple[Any, ...]) -> Location | None:
        return assignment.key_location(loc) if assignment else None

    return validation_errors(error, setting.type, setting.name, locate)


def _default(setting: Setting, raw: RawSettings) -> Any:
    if setting.default is not REQUIRED:
        callable_default = callable(setting.default)
        return setting.default(raw.environment.name) if callable_default else setting.default
    raise SettingsError(
        f"the setting {setting.name} is missing",
        code="conf.E018",
        hint=": ".join(filter(None, (_what_to_write(setting), setting.help))),
        where=raw.source.files[-1],
    )


def _what_to_write(setting: Setting) -> str:
    """Return the two lines for a section, with the fields that have no default."""
    section = setting.type
    if not (inspect.isclass(section) and issubclass(section, Section)):
        return f"set {setting.name} in the settings module"
    name, home = section.__name__, section.__module__
    package = home.rpartition(".")[0]
    if getattr(sys.modules.get(package), name, None) is section:
        home = package
    fields = [key for key, field in section.model_fields.items() if field.is_required()]
    values = ", ".join(f"{field}=..." for field in fields)
    return f'write "from {home} import {name}" and "{setting.name} = {name}({values})"'
