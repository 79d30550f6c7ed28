"""The app's own declaration."""

from __future__ import annotations

from ....apps import AppConfig

__all__ = ["AuthApiConfig"]


class AuthApiConfig(AppConfig):
    """Routes of those who have an account already. They are mounted at `App(..., prefix=...)`."""

    name = "fastforge.contrib.auth.api"
    label = "auth_api"
    requires = ("fastforge.contrib.db", "fastforge.contrib.auth")
