"""The app's own declaration."""

from __future__ import annotations

from ....apps import AppConfig

__all__ = ["PostgresChannelsConfig"]


class PostgresChannelsConfig(AppConfig):
    """The channel backend `postgres`: LISTEN and NOTIFY, and tables for what they cannot carry."""

    name = "fastforge.contrib.db.postgres_channels"
    requires = ("fastforge.contrib.db",)
