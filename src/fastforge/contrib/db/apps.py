"""The app's own declaration."""

from __future__ import annotations

from ...apps import AppConfig
from .settings import DATABASES

__all__ = ["DbConfig"]


class DbConfig(AppConfig):
    """The database: engine, sessions, the transaction around a request, models, migrations."""

    name = "fastforge.contrib.db"
    settings = (DATABASES,)
