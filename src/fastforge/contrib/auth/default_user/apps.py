"""The app's own declaration."""

from __future__ import annotations

from ....apps import AppConfig

__all__ = ["DefaultUserConfig"]


class DefaultUserConfig(AppConfig):
    """The table `auth_user`: users without columns of the project's own."""

    name = "fastforge.contrib.auth.default_user"
    requires = ("fastforge.contrib.db", "fastforge.contrib.auth")
