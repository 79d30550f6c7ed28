"""Logging: one stream of lines for everything that a process says, whoever says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._utils import lazy_attribute

if TYPE_CHECKING:
    from .output import process_lines as process_lines

__all__ = ["process_lines"]

_LAZY = {"process_lines": "output"}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
