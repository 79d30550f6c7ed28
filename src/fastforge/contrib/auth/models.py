"""The tables of what users were given: logins with their tokens, API keys; and what was taken back.

None has a secret in it. A user is named by its id as text: projects have keys of any type.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Model, utcnow

__all__ = ["ApiKey", "Forgotten", "TokenFamily"]

LONGEST_USER_ID = 255


class TokenFamily(Model):
    """A login, and all the tokens that came of it: the first pair, and one with each refresh.

    Attributes:
        id: What `Identity.token_id` and the log say; nothing can be done with it alone.
        user_id: Whose it is.
        user_created_at: When the user was made: another one may get the id of one who is gone.
        user_version: The version that the user had; with another one it is void.
        scopes: What its tokens may do at most; None: whatever the user may.
        handle_hash: The keyed hash of what its access tokens are found by.
        secret_hash: The keyed hash of the secret in its newest refresh token.
        generation: How often it was refreshed; a refresh token with a lower one is an old one.
        refreshed_at: When the newest refresh token was made.
        expires_at: When that one expires, and with it the login.
        revoked_at: When somebody ended it.
    """

    id: Mapped[str] = mapped_column(sa.Uuid(as_uuid=False), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.String(LONGEST_USER_ID), index=True)
    user_created_at: Mapped[datetime]
    user_version: Mapped[int]
    scopes: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    handle_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    secret_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    generation: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    refreshed_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]


class ApiKey(Model):
    """A key for a program that acts for a user.

    Attributes:
        id: What `Identity.token_id` and the log say; nothing can be done with it alone.
        user_id: For whom it acts.
        user_created_at: When that user was made, as in a `TokenFamily`.
        name: What it is for, in the user's words.
        scopes: What it may do at most; None: whatever the user may.
        key_hash: The keyed hash of the secret in it.
        expires_at: None: never.
        revoked_at: When somebody ended it.
    """

    id: Mapped[str] = mapped_column(sa.Uuid(as_uuid=False), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.String(LONGEST_USER_ID), index=True)
    user_created_at: Mapped[datetime]
    name: Mapped[str] = mapped_column(sa.String(100))
    scopes: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    key_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Forgotten(Model):
    """A line of the log by which every process learns what it must not remember any more.

    Lines are written just before the COMMIT of the change that they are of, one transaction after
    the other: a larger id was committed later, and whoever has read up to one has missed nothing.
    The newest line stays for good, others for a day.

    Attributes:
        id: Grows with each line, and is never given again.
        user_id: The user whose credentials were void from then on.
        token_id: The one credential that was. Neither: all credentials of all users.
        at: When; for whoever removes old lines.
    """

    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True
    )
    user_id: Mapped[str | None] = mapped_column(sa.String(LONGEST_USER_ID))
    token_id: Mapped[str | None] = mapped_column(sa.String(LONGEST_USER_ID))
    at: Mapped[datetime] = mapped_column(default=utcnow)
