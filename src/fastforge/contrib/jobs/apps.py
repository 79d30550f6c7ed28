"""The app's own declaration."""

from __future__ import annotations

from ...apps import AppConfig

__all__ = ["JobsConfig"]


class JobsConfig(AppConfig):
    """The durable task backend: one table, claimed in batches, on SQLite and PostgreSQL."""

    name = "fastforge.contrib.jobs"
    requires = ("fastforge.contrib.db",)
