"""The app's own declaration."""

from __future__ import annotations

from ...apps import AppConfig
from .settings import Templates

__all__ = ["TemplatesConfig"]


class TemplatesConfig(AppConfig):
    """Brings `Render`, which fills the templates in each app's `templates/` folder."""

    name = "fastforge.contrib.templates"
    settings = (Templates,)
