"""The settings of what a process writes about itself."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from ..conf import Section
from ..redaction.words import words_of
from .logging.choices import LEVEL_VARIABLE, LEVELS, Shape, shape_in, variable_of

__all__ = ["Level", "Logging"]

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


def _name(name: str) -> str:
    if not words_of(name):
        raise ValueError("a name has letters in it")
    return name


def _pattern(text: str) -> str:
    try:
        found = re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if found.search("") is not None:
        raise ValueError("matches where nothing stands, so that it would mask everywhere")
    return text


Level: TypeAlias = Annotated[
    Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(_lower)
]
"""From which level on lines are written."""
FieldName = Annotated[str, AfterValidator(_free_name)]
SecretName = Annotated[str, AfterValidator(_name)]
Pattern = Annotated[str, AfterValidator(_pattern)]


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
        secret_names: Names of your own whose values are masked wherever they stand, as words within
            a name: `("iban",)` masks `payer_iban` as well.
        secret_patterns: Regular expressions of your own; what they match is masked, or only their
            group `secret`: `(r"card (?P<secret>\\d{12,19})",)`. They run over every line.
        shown_names: Names that look like those of secrets and are none: `("token_bucket",)`.
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
    secret_names: tuple[SecretName, ...] = ()
    secret_patterns: tuple[Pattern, ...] = ()
    shown_names: tuple[SecretName, ...] = ()
    flush_after_s: float = Field(default=0.05, ge=0, le=5)

    def defaults_in(self, environment: str) -> dict[str, Any]:
        """Return the form and the level where none are written."""
        is_development = environment == "development"
        return {"format": "console" if is_development else "json", "level": "info"}

    def format_in(self, environment: str) -> Shape:
        """Return the form that holds in an environment.

        Raises:
            SettingsError: FASTFORGE_LOG_FORMAT is none.
        """
        return shape_in(environment, self.format)

    def level_in(self, environment: str, *, once: bool = False) -> str:
        """Return from which level on lines are written.

        Args:
            environment: The project's.
            once: Whether that is for a command that runs once.

        Raises:
            SettingsError: FASTFORGE_LOG_LEVEL is no level.
        """
        default: str = "warning" if once else self.defaults_in(environment)["level"]
        return variable_of(LEVEL_VARIABLE, LEVELS) or self.level or default
