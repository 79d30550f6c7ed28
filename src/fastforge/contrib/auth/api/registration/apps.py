"""The app's own declaration."""

from __future__ import annotations

from .....apps import AppConfig

__all__ = ["AuthRegistrationConfig"]


class AuthRegistrationConfig(AppConfig):
    """Routes by which anybody may register, without telling anybody who has an account."""

    name = "fastforge.contrib.auth.api.registration"
    label = "auth_registration"
    requires = (
        "fastforge.contrib.db",
        "fastforge.contrib.auth",
        "fastforge.contrib.mail",
        "fastforge.contrib.auth.api.mail",
    )
