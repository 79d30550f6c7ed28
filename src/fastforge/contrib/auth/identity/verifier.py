"""Verifier: what an app brings that knows a form of tokens and says whose they are."""

from __future__ import annotations

from abc import ABC, abstractmethod

from .principal import Identity

__all__ = ["TokenVerifier"]


class TokenVerifier(ABC):
    """Knows one form of tokens. An instance stands in an app's `token_verifiers.py`.

    ```python
    class PartnerTokens(TokenVerifier):
        name = "partner"

        def accepts(self, token: str) -> bool:
            return token.startswith("partner_") and mac_is_right(token)

        async def verify(self, token: str) -> Identity:
            answer = await ask_partner(token)
            if not answer.is_active:
                raise InvalidToken("the partner says no")
            return Identity(id=answer.subject, kind="partner", expires_at=answer.expires_at)

    PARTNER = PartnerTokens()
    ```

    The first one that accepts a token verifies it, in the order of INSTALLED_APPS and of the
    module. What it returns is cached, and is checked again with every request: whether it has
    ended, and whether its user or token was forgotten.

    Surprises: it may be asked once for a thousand requests, in the task of the first one. It may
    give the id of a user as text: handlers find it with the type of the user model's key.

    Attributes:
        name: Unique in the project; metrics and logs have it.
    """

    name: str

    @abstractmethod
    def accepts(self, token: str) -> bool:
        """Return whether a token has this form, without asking anybody.

        What can be checked without I/O is checked here, a signature above all: a guess then costs
        nobody anything.
        """

    @abstractmethod
    async def verify(self, token: str) -> Identity:
        """Return whose token it is.

        Raises:
            InvalidToken: It is nobody's, has ended or was revoked.
            ForgeError: Nobody can say at present; with a `status`, such as 503.
        """
