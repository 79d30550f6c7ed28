"""API keys: made, shown once, and revoked."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import MAXYEAR, datetime
from typing import Final
from uuid import UUID, uuid4

from ....lifecycle import current_container
from ...db import Session
from ..errors import KeyRefused
from ..events import API_KEY_CREATED
from ..identity.forgetting import forget_token
from ..model import AbstractUser, refuse_text
from ..models import ApiKey
from ..resources import token_keys
from .families import end_api_keys, now
from .keys import TokenKeys
from .people import refuse_nobody
from .texts import API_KEY

__all__ = ["NewApiKey", "create_api_key", "hashes_of_key", "read_key", "revoke_api_key"]

_KEY: Final = b"api_key\0"
LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApiKey:
    """A key at the one moment when it can be shown.

    Args:
        id: By which it is revoked; no secret.
        key: The key itself. The database has it in no form that it could be had from.
        name: What it is for.
        scopes: What it may do at most; None: whatever its user may.
        expires_at: None: never.
    """

    id: str
    key: str = field(repr=False)
    name: str
    scopes: frozenset[str] | None
    expires_at: datetime | None


async def create_api_key(
    db: Session,
    user: AbstractUser,
    name: str,
    *,
    scopes: Collection[str] | None = None,
    expires_at: datetime | None = None,
) -> NewApiKey:
    """Make a key for a program that acts for a user.

    ```python
    @router.post("/keys", status_code=201)
    async def make(name: str, me: CurrentUser, db: DbSession) -> str:
        made = await create_api_key(db, me, name, scopes=["orders:read"])
        return made.key  # shown now, and never again
    ```

    A program sends it as a token: `Authorization: Bearer ffk_...`. It never allows more than its
    user may at that moment, and nothing once the user is not active. Another password does not
    end it: `revoke_api_key` does, or `revoke_user(..., api_keys=True)`.

    Args:
        db: A session; what is written stands in `atomic`, in yours if there is one.
        user: For whom the program acts.
        name: What it is for, in the user's words.
        scopes: What it may do at most; None: whatever the user may, a superuser everything.
        expires_at: When it ends; None: never.

    Raises:
        AuthError: The user is not saved, or not active; or `scopes` is a text.
        KeyRefused: The name is empty or too long, or it would have ended already; a 422.
        SettingsError: SECRET_KEY is not set.
    """
    refuse_text(scopes)
    keys = current_container()[token_keys]
    _refuse_odd(name)
    _refuse_over(expires_at)
    secret = secrets.token_bytes(API_KEY.size)
    async with db.atomic(savepoint=False):
        await db.flush()
        refuse_nobody(user)
        row = _row(user, name, scopes=scopes, expires_at=expires_at)
        row.key_hash = keys.hashed(_KEY + secret)
        db.add(row)
        await db.flush()
    API_KEY_CREATED.tell(user.id)
    return NewApiKey(
        id=row.id,
        key=API_KEY.write(keys.api_key, secret),
        name=name,
        scopes=None if scopes is None else frozenset(scopes),
        expires_at=expires_at,
    )


def _row(
    user: AbstractUser,
    name: str,
    *,
    scopes: Collection[str] | None,
    expires_at: datetime | None,
) -> ApiKey:
    return ApiKey(
        id=str(uuid4()),
        user_id=str(user.id),
        user_created_at=user.created_at,
        name=name,
        scopes=None if scopes is None else sorted(set(scopes)),
        created_at=now(),
        expires_at=expires_at,
    )


async def revoke_api_key(db: Session, key_id: str, *, of: object | None = None) -> bool:
    """Revoke a key.

    ```python
    @router.delete("/keys/{key_id}", status_code=204)
    async def delete(key_id: str, me: CurrentIdentity, db: DbSession) -> None:
        if not await revoke_api_key(db, key_id, of=me.id):
            raise HTTPException(404)
    ```

    Args:
        db: A session; what is written stands in `atomic`, in yours if there is one.
        key_id: Its id; anything may come here.
        of: The id of the user whose it has to be; None: whoever's.

    Returns:
        Whether there was such a key, which was not revoked.
    """
    try:
        which = [ApiKey.id == str(UUID(key_id))]
    except ValueError:
        return False
    if of is not None:
        which.append(ApiKey.user_id == str(of))
    async with db.atomic(savepoint=False):
        ended = await end_api_keys(db, *which)
        for key in ended:
            await forget_token(db, key.id)
    return bool(ended)


def read_key(keys: TokenKeys, text: str) -> bytes | None:
    """Return the secret in a key; None if we have not written it."""
    return API_KEY.read(keys.api_key, text)


def hashes_of_key(keys: TokenKeys, secret: bytes) -> list[bytes]:
    """Return what the database may have in place of a key."""
    return keys.hashes(_KEY + secret)


def _refuse_odd(name: str) -> None:
    if not name:
        problem = "is empty"
    elif len(name) > LONGEST_NAME:
        problem = f"has {len(name):,} characters, and may have {LONGEST_NAME}"
    elif not name.isprintable():
        problem = f"has a line break or another control character: {name!r}"
    else:
        return
    raise KeyRefused(
        f"the name of an API key {problem}",
        code="auth.E031",
        hint="say in a few words what it is for",
    )


def _refuse_over(expires_at: datetime | None) -> None:
    if expires_at is None:
        return
    if expires_at.tzinfo is None:
        problem = "which has no time zone: nobody knows when that is"
    elif expires_at.year == MAXYEAR:
        problem = "which not every time zone has"
    elif expires_at <= now():
        problem = "which is over"
    else:
        return
    raise KeyRefused(
        f"an API key is to end at {expires_at.isoformat()}, {problem}",
        code="auth.E039",
        hint="give a later time, in UTC for example; None lets it never end",
    )
