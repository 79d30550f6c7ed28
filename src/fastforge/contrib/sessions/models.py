"""The table of sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Model

__all__ = ["StoredSession"]

LONGEST_USER_ID = 255


class StoredSession(Model):
    """A session. What its cookie says is not in it, and cannot be worked out from it.

    Attributes:
        id: What `Identity.token_id` and the log say; nothing can be done with it alone.
        key_hash: The keyed hash of the cookie's secret.
        user_id: Whose it is, as text; None before anybody has logged in.
        user_version: The version that the user had then; with another one it is nobody's.
        data: What the project keeps in it.
        created_at: When it began, or when its user logged in.
        seen_at: When it was used last, to about a twentieth of SESSIONS.idle_s.
        expires_at: When nobody will need the row any more.
    """

    id: Mapped[str] = mapped_column(sa.Uuid(as_uuid=False), primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    user_id: Mapped[str | None] = mapped_column(sa.String(LONGEST_USER_ID), index=True)
    user_version: Mapped[int | None]
    data: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
