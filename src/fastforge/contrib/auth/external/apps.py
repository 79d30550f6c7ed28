"""The app's own declaration."""

from __future__ import annotations

from ....apps import AppConfig

__all__ = ["ExternalTokensConfig"]


class ExternalTokensConfig(AppConfig):
    """What verifiers of others' tokens need: the HTTP client, and what they remember."""

    name = "fastforge.contrib.auth.external"
    label = "auth_external"
    requires = ("fastforge.contrib.http", "fastforge.contrib.auth")
