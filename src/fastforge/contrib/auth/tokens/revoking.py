"""Revoking: one login, all of a user, or everybody's."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, true

from ....lifecycle import current_container
from ...db import Session
from ..events import TOKENS_REVOKED
from ..identity.forgetting import forget_everybody, forget_token, forget_user
from ..models import ApiKey, TokenFamily
from ..resources import token_keys
from ..revokers import Revoker
from .families import end_api_keys, end_families
from .pairs import hashes_of
from .reading import handle_of

__all__ = ["revoke", "revoke_everybody", "revoke_user"]


async def revoke(db: Session, token: str | None = None, *, token_id: str | None = None) -> bool:
    """End one login: its refresh token, and every access token that came of it.

    ```python
    @router.post("/logout", status_code=204)
    async def logout(me: CurrentIdentity, db: DbSession) -> None:
        await revoke(db, token_id=me.token_id)
    ```

    Surprises: give `token_id` only what `CurrentIdentity` or your own table says. It is no secret,
    and whoever may name one may end somebody's login; what a client sends is a `token`.

    Args:
        db: A session; what is written stands in `atomic`, in yours if there is one.
        token: A refresh token or an access token, as a client has it. Anything may come here.
        token_id: What `Identity.token_id` names.

    Returns:
        Whether there was such a login, which had not ended.
    """
    which = _by_token(token) if token is not None else _by_id(token_id or "")
    if which is None:
        return False
    async with db.atomic(savepoint=False):
        ended = await end_families(db, which)
        for family in ended:
            await forget_token(db, family.id)
    for family in ended:
        TOKENS_REVOKED.tell(family.user_id)
    return bool(ended)


async def revoke_user(db: Session, user_id: object, *, api_keys: bool = False) -> int:
    """End all logins of a user, on every device: tokens, and the sessions of browsers.

    Surprises: another password, other scopes and `is_active = False` do so by themselves. API keys
    stay, because programs have them that nobody logs in to, unless you say otherwise.

    Args:
        db: A session; what is written stands in `atomic`, in yours if there is one.
        user_id: Whose they are.
        api_keys: Whether to revoke their API keys as well.

    Returns:
        How many logins were ended.
    """
    owner = str(user_id)
    async with db.atomic(savepoint=False):
        ended = await end_families(db, TokenFamily.user_id == owner)
        if api_keys:
            await end_api_keys(db, ApiKey.user_id == owner)
        await forget_user(db, owner)
        others = sum([await each.of_user(db, owner) for each in _revokers()])
    TOKENS_REVOKED.tell(owner)
    return len(ended) + others


async def revoke_everybody(db: Session, *, api_keys: bool = False) -> int:
    """End all logins of all users: what is left to do after a theft.

    Args:
        db: A session; what is written stands in `atomic`, in yours if there is one.
        api_keys: Whether to revoke all API keys as well.

    Returns:
        How many logins were ended.
    """
    async with db.atomic(savepoint=False):
        ended = await end_families(db, true())
        if api_keys:
            await end_api_keys(db, true())
        await forget_everybody(db)
        others = sum([await each.of_everybody(db) for each in _revokers()])
    TOKENS_REVOKED.tell()
    return len(ended) + others


def _revokers() -> Iterable[Revoker]:
    """Return what ends the logins that others keep: the sessions of browsers, above all."""
    return current_container().registry.values("revokers")


def _by_token(token: str) -> ColumnElement[bool] | None:
    keys = current_container()[token_keys]
    handle = handle_of(keys, token)
    return None if handle is None else TokenFamily.handle_hash.in_(hashes_of(keys, handle))


def _by_id(token_id: str) -> ColumnElement[bool] | None:
    try:
        return TokenFamily.id == str(UUID(token_id))
    except ValueError:
        return None
