"""The app's own declaration."""

from __future__ import annotations

from ...apps import AppConfig
from .settings import Sessions

__all__ = ["SessionsConfig"]


class SessionsConfig(AppConfig):
    """Sessions of browsers: a cookie that means nothing, what it stands for in the database."""

    name = "fastforge.contrib.sessions"
    requires = ("fastforge.contrib.db", "fastforge.contrib.auth")
    settings = (Sessions,)
