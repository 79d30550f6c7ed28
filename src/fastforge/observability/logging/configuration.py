"""Configuration: how the lines of a process look, as a value that goes to its children too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ...exceptions import SettingsError
from .choices import LEVEL_VARIABLE, LEVELS, Shape, shape_in, variable_of

if TYPE_CHECKING:
    from ...conf import Settings

__all__ = ["Configuration", "Reach", "Role"]

Role: TypeAlias = Literal["web", "worker", "manager", "command"]
Reach: TypeAlias = Literal["process", "structlog", "nothing"]
"""What is configured: all that the process says; structlog alone, whose events then go the way of
`logging`, as tests want it; or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """How a process writes.

    Args:
        role: What the process is.
        shape: The form of the lines.
        level: From which level on there are lines.
        levels: The levels of single loggers, by name.
        fields: What each line says besides.
        reach: What is configured.
        captures_output: Whether what is printed becomes lines.
        max_field_bytes: How long a field may be.
        max_line_bytes: How long a line may be.
        flush_after_s: How long lines may wait to be written together.
        replaces_access: Whether servers' own lines for requests are left out.
    """

    role: Role
    shape: Shape
    level: str = "info"
    levels: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    reach: Reach = "process"
    captures_output: bool = True
    max_field_bytes: int = 8192
    max_line_bytes: int = 65_536
    flush_after_s: float = 0.05
    replaces_access: bool = False

    @classmethod
    def early(cls, role: Role, environment: str, *, owns_process: bool = False) -> Configuration:
        """Return what holds until the settings have been read, by the environment alone.

        Surprises: a variable that is set to nonsense counts as not set; with the settings it is an
        error, told in the form that holds by then.
        """
        default: Shape = "console" if environment == "development" else "json"
        try:
            shape, level = shape_in(environment), variable_of(LEVEL_VARIABLE, LEVELS)
        except SettingsError:
            shape, level = default, ""
        return cls(
            role=role,
            shape=shape,
            level=level or ("warning" if role == "command" else "info"),
            reach=_reach_in(environment, owns_process=owns_process),
            captures_output=role != "command",
        )

    @classmethod
    def of(cls, settings: Settings, role: Role, *, owns_process: bool = False) -> Configuration:
        """Return what the settings of a project say.

        Args:
            settings: The project's.
            role: What the process is.
            owns_process: Whether the process is nothing else, as no process of a test runner is.

        Raises:
            SettingsError: A variable of the environment is no form, or no level.
        """
        from ..settings import Logging

        section, environment = settings.section(Logging), settings.environment
        reach = _reach_in(environment, owns_process=owns_process)
        return cls(
            role=role,
            shape=section.format_in(environment),
            level=section.level_in(environment, once=role == "command"),
            levels=dict(section.levels),
            fields=dict(section.fields),
            reach=reach if section.configure else "nothing",
            captures_output=section.capture_output and role != "command",
            max_field_bytes=section.max_field_bytes,
            max_line_bytes=section.max_line_bytes,
            flush_after_s=section.flush_after_s,
            replaces_access=section.access_line and role == "web",
        )

    def to_json(self) -> str:
        """Return it as one word."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Configuration:
        """Return what `to_json` has written."""
        members: dict[str, Any] = json.loads(text)
        return cls(**members)


def _reach_in(environment: str, *, owns_process: bool) -> Reach:
    """Return what is configured: in a test runner's process its own handlers count."""
    return "structlog" if environment == "test" and not owns_process else "process"
