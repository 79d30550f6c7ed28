"""TokenKeys: what tokens are signed with, and what the database has in place of their secrets."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from ....conf import Settings
from ....signing import Keys
from ..settings import Auth

__all__ = ["TokenKeys"]


class TokenKeys:
    """The keys of one project, each made when it is first needed.

    A project that gives nobody a token needs no SECRET_KEY.

    Args:
        settings: Of the project.

    Attributes:
        config: AUTH.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        self.config: Final = settings.section(Auth)

    @property
    def are_there(self) -> bool:
        """Whether the project has a SECRET_KEY: without one nothing can be a token of ours."""
        return bool(self._settings["SECRET_KEY"])

    @cached_property
    def access(self) -> Keys:
        """For opaque access tokens."""
        return Keys.of(self._settings, "fastforge.contrib.auth.access")

    @cached_property
    def refresh(self) -> Keys:
        """For refresh tokens."""
        return Keys.of(self._settings, "fastforge.contrib.auth.refresh")

    @cached_property
    def next_secret(self) -> Keys:
        """For the secret that follows another one."""
        return Keys.of(self._settings, "fastforge.contrib.auth.next")

    @cached_property
    def api_key(self) -> Keys:
        """For API keys."""
        return Keys.of(self._settings, "fastforge.contrib.auth.api_key")

    @cached_property
    def jwt(self) -> Keys:
        """For JSON web tokens."""
        return Keys.of(self._settings, "fastforge.contrib.auth.jwt")

    @cached_property
    def stored(self) -> Keys:
        """For what is stored: a copy of the database proves no guess."""
        return Keys.of(self._settings, "fastforge.contrib.auth.stored")

    @property
    def issuer(self) -> str:
        """Who writes our JSON web tokens: AUTH.jwt_issuer, or the project's package."""
        return self.config.jwt_issuer or self._settings.module.partition(".")[0]

    @property
    def audience(self) -> str:
        """Whom they are for: AUTH.jwt_audience, or whoever wrote them."""
        return self.config.jwt_audience or self.issuer

    def hashed(self, secret: bytes) -> bytes:
        """Return what the database has in place of a secret."""
        return self.stored.sign(secret)

    def hashes(self, secret: bytes) -> list[bytes]:
        """Return what the database may have, where older keys are still accepted."""
        return [Keys((key,)).sign(secret) for key in self.stored.all]
