"""The app's own declaration."""

from __future__ import annotations

from ...apps import AppConfig
from .settings import Auth

__all__ = ["AuthConfig"]


class AuthConfig(AppConfig):
    """Users and passwords: the base of the user model, hashing, rules, commands."""

    name = "fastforge.contrib.auth"
    requires = ("fastforge.contrib.db",)
    settings = (Auth,)
