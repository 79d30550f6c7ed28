"""Choices: which form lines have, and from which level on there are any; of few imports."""

from __future__ import annotations

import os
from typing import Final, Literal, TypeAlias

from ..._utils import did_you_mean
from ...exceptions import SettingsError

__all__ = ["FORMAT_VARIABLE", "LEVELS", "LEVEL_VARIABLE", "Shape", "shape_in", "variable_of"]

FORMAT_VARIABLE: Final = "FASTFORGE_LOG_FORMAT"
LEVEL_VARIABLE: Final = "FASTFORGE_LOG_LEVEL"
LEVELS: Final = ("debug", "info", "warning", "error", "critical")
Shape: TypeAlias = Literal["json", "console"]
"""How a line looks: an object for machines, or a text for whoever develops."""
SHAPES: Final = ("json", "console")


def shape_in(environment: str, written: Shape | None = None) -> Shape:
    """Return the form of the lines.

    Args:
        environment: The project's environment.
        written: What the settings say.

    Raises:
        SettingsError: FASTFORGE_LOG_FORMAT is none.
    """
    default = "console" if environment == "development" else "json"
    said = variable_of(FORMAT_VARIABLE, SHAPES) or written or default
    return "console" if said == "console" else "json"


def variable_of(name: str, choices: tuple[str, ...]) -> str:
    """Return what a variable of the environment says; nothing where it is not set.

    Raises:
        SettingsError: It is set to something else.
    """
    text = os.environ.get(name, "").strip().lower()
    if text and text not in choices:
        raise SettingsError(
            f"{name} is {text!r}",
            code="logging.E001",
            hint=did_you_mean(text, choices) or f"use one of {', '.join(choices)}",
        )
    return text
