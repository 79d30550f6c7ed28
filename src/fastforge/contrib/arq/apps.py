"""The app's own declaration."""

from __future__ import annotations

from ...apps import AppConfig

__all__ = ["ArqConfig"]


class ArqConfig(AppConfig):
    """The task backend `arq`: what flows is in Redis, what is remembered in the database."""

    name = "fastforge.contrib.arq"
    requires = ("fastforge.contrib.redis", "fastforge.contrib.db", "fastforge.contrib.jobs")
