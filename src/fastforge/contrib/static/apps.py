"""The app's own declaration."""

from __future__ import annotations

from ...apps import AppConfig
from .settings import Static

__all__ = ["StaticConfig"]


class StaticConfig(AppConfig):
    """Serves each app's `static/` folder below STATIC.url."""

    name = "fastforge.contrib.static"
    settings = (Static,)
