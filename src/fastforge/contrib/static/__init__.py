"""Static files of the apps and of the project, served by the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._utils import lazy_attribute

if TYPE_CHECKING:
    from .settings import Static as Static
    from .urls import static_url as static_url

__all__ = ["Static", "static_url"]

_LAZY = {"Static": "settings", "static_url": "urls"}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
