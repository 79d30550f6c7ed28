"""Shapes: what the routes take and give, as JSON.

Their names stand in the OpenAPI document beside those of the project, and must not be the same:
both would be called by their modules then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from ..model import LONGEST_EMAIL, LONGEST_LOGIN, AbstractUser
from ..tokens.pairs import TokenPair

__all__ = [
    "AuthAddress",
    "AuthMailAsked",
    "AuthTokens",
    "AuthUser",
    "Email",
    "Given",
    "LoginName",
    "Token",
]

LONGEST_TOKEN: Final = 8192

Email: TypeAlias = Annotated[
    str,
    Field(
        max_length=LONGEST_EMAIL,
        examples=["ann@example.org"],
        json_schema_extra={"format": "email"},  # said, and not held against anybody: a mail does
    ),
]
LoginName: TypeAlias = Annotated[str, Field(max_length=LONGEST_LOGIN)]
Token: TypeAlias = Annotated[SecretStr, Field(max_length=LONGEST_TOKEN)]


class Given(BaseModel):
    """The base of what is taken: a field that there is not is a mistake."""

    model_config = ConfigDict(extra="forbid")


class AuthAddress(Given):
    """Whose address it is about."""

    email: Email


class AuthMailAsked(BaseModel):
    """The answer to whoever asks for a mail: the same for all."""

    detail: str = "If the address is right, a mail is on its way."


class AuthTokens(BaseModel):
    """What a login gives, as RFC 6749 calls it.

    Attributes:
        access_token: For the Authorization header.
        refresh_token: For the next pair, once.
        token_type: The word before the token in that header.
        expires_in: How long the access token is good, in seconds.
        scope: What it allows, with spaces between; a superuser's allows everything.
    """

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    scope: str

    @classmethod
    def of(cls, pair: TokenPair) -> Self:
        """Return what is told of a pair."""
        return cls(
            access_token=pair.access_token,
            refresh_token=pair.refresh_token,
            token_type=pair.token_type,
            expires_in=pair.expires_in_s,
            scope=" ".join(sorted(pair.scopes)),
        )


class AuthUser(BaseModel):
    """What is told of a user, to the user."""

    id: int | str
    login: str
    email: str
    email_verified_at: datetime | None
    is_superuser: bool
    scopes: list[str]

    @classmethod
    def of(cls, user: AbstractUser) -> Self:
        """Return what is told of a user."""
        key: object = user.id  # a model may have another one than a number
        return cls(
            id=key if isinstance(key, int) else str(key),
            login=user.login,
            email=user.email,
            email_verified_at=user.email_verified_at,
            is_superuser=user.is_superuser,
            scopes=user.scopes,
        )
