"""The app's own declaration."""

from __future__ import annotations

from .....apps import AppConfig

__all__ = ["AuthOpenRegistrationConfig"]


class AuthOpenRegistrationConfig(AppConfig):
    """The route by which anybody registers with an address that nobody has proven."""

    name = "fastforge.contrib.auth.api.open_registration"
    label = "auth_open_registration"
    requires = ("fastforge.contrib.db", "fastforge.contrib.auth")
