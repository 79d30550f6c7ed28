"""The settings of what a process writes about itself."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from .._utils import did_you_mean
from ..conf import Section
from ..exceptions import SettingsError

__all__ = ["FORMAT_VARIABLE", "LEVELS", "LEVEL_VARIABLE", "Level", "Logging", "Shape"]

FORMAT_VARIABLE: Final = "FASTFORGE_LOG_FORMAT"
LEVEL_VARIABLE: Final = "FASTFORGE_LOG_LEVEL"
LEVELS: Final = ("debug", "info", "warning", "error", "critical")

_FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_OURS: Final = frozenset({"timestamp", "level", "event", "logger", "pid", "role", "exception"})
_SHORTEST_FIELD: Final = 64
_SHORTEST_LINE: Final = 1024


def _lower(value: Any) -> Any:
    """Take the names of levels as `logging` spells them, too."""
    return value.lower() if isinstance(value, str) else value


def _free_name(name: str) -> str:
    if not _FIELD_NAME.fullmatch(name):
        raise ValueError("the name of a field has letters, digits, _ and . in it")
    if name in _OURS:
        raise ValueError(f"{name!r} is what every line has already; take another name")
    return name


Level: TypeAlias = Annotated[
    Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(_lower)
]
"""From which level on lines are written."""
Shape: TypeAlias = Literal["json", "console"]
"""How a line looks: an object for machines, or a text for whoever develops."""
FieldName = Annotated[str, AfterValidator(_free_name)]


class Logging(Section, setting="LOGGING"):
    """What a process writes about itself: one stream of lines, whoever speaks.

    ```python
    LOGGING = Logging(level="info", levels={"sqlalchemy.engine": "info"})
    ```

    Attributes:
        configure: Whether fastforge configures logging at all. False leaves `logging`, structlog,
            `warnings` and the hooks of the process as the project has set them up itself.
        format: `json`, an object a line, or `console`, a text for people; None: `console` in
            development, else `json`. FASTFORGE_LOG_FORMAT says otherwise.
        level: From which level on lines are written. None: `info`, and `warning` in commands that
            run once. FASTFORGE_LOG_LEVEL says otherwise.
        levels: The level of single loggers and of those below them, by name:
            `{"shop.orders": "debug"}`.
        fields: What each line says besides: `{"service": "shop", "version": "1.4.2"}`.
        user_id: Whether lines say who was logged in, by id. Off: that is personal data.
        access_line: Whether each request, job and socket has a line at its end.
        capture_output: Whether what is printed becomes a line too, in servers and workers that
            write `json`.
        max_field_bytes: How long one field of a line may be; the rest of it is cut off.
        max_line_bytes: How long a whole line may be; beyond it the longest fields are left out.
        flush_after_s: How long lines may wait to be written together, in seconds; warnings, and
            what waits before them, never wait. 0: none does.
    """

    configure: bool = True
    format: Shape | None = None
    level: Level | None = None
    levels: dict[str, Level] = Field(default={})
    fields: dict[FieldName, str | int | float | bool] = Field(default={})
    user_id: bool = False
    access_line: bool = True
    capture_output: bool = True
    max_field_bytes: int = Field(default=8192, ge=_SHORTEST_FIELD)
    max_line_bytes: int = Field(default=65_536, ge=_SHORTEST_LINE)
    flush_after_s: float = Field(default=0.05, ge=0, le=5)

    def defaults_in(self, environment: str) -> dict[str, Any]:
        """Return the form and the level where none are written."""
        return {"format": "console" if environment == "development" else "json", "level": "info"}

    def format_in(self, environment: str) -> Shape:
        """Return the form that holds in an environment.

        Raises:
            SettingsError: FASTFORGE_LOG_FORMAT is none.
        """
        default = self.defaults_in(environment)["format"]
        said = _said(FORMAT_VARIABLE, get_args(Shape)) or self.format or default
        return "console" if said == "console" else "json"

    def level_in(self, environment: str, *, once: bool = False) -> str:
        """Return from which level on lines are written.

        Args:
            environment: The project's.
            once: Whether that is for a command that runs once.

        Raises:
            SettingsError: FASTFORGE_LOG_LEVEL is no level.
        """
        default: str = "warning" if once else self.defaults_in(environment)["level"]
        return _said(LEVEL_VARIABLE, LEVELS) or self.level or default


def _said(variable: str, choices: tuple[str, ...]) -> str:
    """Return what a variable of the environment says; nothing where it is not set."""
    text = os.environ.get(variable, "").strip().lower()
    if text and text not in choices:
        raise SettingsError(
            f"{variable} is {text!r}",
            code="logging.E001",
            hint=did_you_mean(text, choices) or f"use one of {', '.join(choices)}",
        )
    return text
