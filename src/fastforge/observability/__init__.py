"""What a process says about itself.

A settings module imports `Logging` from here, so that the rest is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils import lazy_attribute

if TYPE_CHECKING:
    from .settings import Logging as Logging

__all__ = ["Logging"]

_LAZY = {"Logging": "settings"}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
