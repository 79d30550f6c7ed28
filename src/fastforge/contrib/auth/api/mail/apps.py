"""The app's own declaration."""

from __future__ import annotations

from .....apps import AppConfig
from .settings import Accounts

__all__ = ["AuthMailConfig"]


class AuthMailConfig(AppConfig):
    """Routes for a lost password and an address to be verified, their mails, and ACCOUNTS."""

    name = "fastforge.contrib.auth.api.mail"
    label = "auth_mail"
    requires = ("fastforge.contrib.db", "fastforge.contrib.auth", "fastforge.contrib.mail")
    settings = (Accounts,)
