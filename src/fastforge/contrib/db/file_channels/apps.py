"""The app's own declaration."""

from __future__ import annotations

from ....apps import AppConfig

__all__ = ["FileChannelsConfig"]


class FileChannelsConfig(AppConfig):
    """The channel backend `sqlite`: every process looks into one table, ten times a second."""

    name = "fastforge.contrib.db.file_channels"
    requires = ("fastforge.contrib.db",)
