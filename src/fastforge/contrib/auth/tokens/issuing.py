"""Issuing: tokens for a user who has logged in, and the next ones for whoever has those."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import select

from ....lifecycle import current_container
from ....signing import now_s
from ...db import Session
from ..errors import InvalidToken
from ..events import REFRESH_REUSED
from ..identity.forgetting import forget_token
from ..model import AbstractUser, refuse_text
from ..models import TokenFamily
from ..resources import token_keys
from .families import delete_some_expired, end_families, moment, refuse_ended
from .keys import TokenKeys
from .pairs import RefreshToken, TokenPair, hashes_of, pair_of, renew
from .people import active_user, allowed, refuse_nobody

__all__ = ["issue", "refresh"]

CLOCKS_MAY_DIFFER_S = 10.0


async def issue(
    db: Session, user: AbstractUser, *, scopes: Collection[str] | None = None
) -> TokenPair:
    """Begin a login: give a user an access token and a refresh token.

    ```python
    @router.post("/login")
    @non_atomic
    async def login(given: Login, db: DbSession) -> Tokens:
        user = await authenticate(db, given.email, given.password)
        if user is None:
            raise HTTPException(401)
        pair = await issue(db, user)
        return Tokens(access_token=pair.access_token, refresh_token=pair.refresh_token)
    ```

    Surprises: whoever is given here is let in; that they have logged in is yours to know. The
    database keeps no token, so that each can be shown once and no more.

    Args:
        db: A session; what is written stands in `atomic`, in yours if there is one.
        user: Who has logged in.
        scopes: What the tokens may do at most, of what the user may; None: all of it, also what
            a superuser may.

    Raises:
        AuthError: The user is not saved, or not active; or `scopes` is a text.
        SettingsError: SECRET_KEY is not set.
    """
    refuse_text(scopes)
    keys = current_container()[token_keys]
    async with db.atomic(savepoint=False):
        await db.flush()  # the version counts what was changed until now
        refuse_nobody(user)
        token = RefreshToken.first()
        family = TokenFamily(
            id=str(uuid4()),
            user_id=str(user.id),
            user_created_at=user.created_at,
            user_version=user.version,
            scopes=None if scopes is None else sorted(allowed(user, scopes)),
            created_at=moment(now_s()),
        )
        renew(keys, family, token)
        db.add(family)
        await delete_some_expired(db)
        await db.flush()
        return pair_of(keys, family, token, user)


async def refresh(db: Session, refresh_token: str) -> TokenPair:
    """Give the next pair of tokens for a refresh token, which is good once.

    ```python
    @router.post("/refresh")
    @non_atomic
    async def again(given: Refresh, db: DbSession) -> Tokens:
        pair = await refresh(db, given.refresh_token)
        return Tokens(access_token=pair.access_token, refresh_token=pair.refresh_token)
    ```

    A refresh token that was used before has been copied: by whoever uses it now, or by whoever
    did. Nobody can tell which, so the login ends for both, and a line of the audit says so. Only
    within AUTH.refresh_grace_s, for a client that heard no answer and asks again, the same
    refresh token is given a second time.

    Surprises: it commits by itself, since a theft has to stay found although the request fails.
    It is the first thing to use the database in its request, or stands outside `atomic`.

    Args:
        db: A session.
        refresh_token: As the client has it. Anything may come here.

    Raises:
        InvalidToken: It is none, was used before, or its login or user is over; a 401.
        TransactionMisuse: Something was read or written before, in the same transaction.
    """
    keys = current_container()[token_keys]
    token = RefreshToken.read(keys, refresh_token) if keys.are_there else None
    if token is None:
        raise InvalidToken("it is no refresh token of ours")
    async with db.atomic(durable=True):
        outcome = await _refreshed(db, keys, token)
    if isinstance(outcome, _Refusal):
        if outcome.reused_of is not None:
            REFRESH_REUSED.tell(outcome.reused_of)
        raise InvalidToken(outcome.reason)
    return outcome


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why there is no next pair; returned, since an exception would undo what was found out."""

    reason: str
    reused_of: str | None = None


async def _refreshed(db: Session, keys: TokenKeys, token: RefreshToken) -> TokenPair | _Refusal:
    family = await _family_of(db, keys, token)
    if family is None:
        return _Refusal("its login is not known any more")
    try:
        refuse_ended(family)
        newest = _next_of(keys, family, token)
        if newest is None:
            return await _end_for_both(db, family, token)
        user = await active_user(db, family)
    except InvalidToken as refused:
        return _Refusal(refused.reason)
    if newest.generation != family.generation:
        renew(keys, family, newest)
        await db.flush()
    return pair_of(keys, family, newest, user)


async def _family_of(db: Session, keys: TokenKeys, token: RefreshToken) -> TokenFamily | None:
    """Return the login of a token, which nobody else refreshes meanwhile."""
    found = await db.scalars(
        select(TokenFamily)
        .where(TokenFamily.handle_hash.in_(hashes_of(keys, token.handle)))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.one_or_none()


def _next_of(keys: TokenKeys, family: TokenFamily, token: RefreshToken) -> RefreshToken | None:
    """Return the token that takes the place of another one; None if that was used before."""
    followers = token.followers(keys)
    if token.is_newest_of(keys, family):
        return followers[0]
    age_s = now_s() - family.refreshed_at.timestamp()
    if age_s >= -CLOCKS_MAY_DIFFER_S and max(age_s, 0) < keys.config.refresh_grace_s:
        return next((each for each in followers if each.is_newest_of(keys, family)), None)
    return None


async def _end_for_both(db: Session, family: TokenFamily, token: RefreshToken) -> _Refusal:
    if token.generation >= family.generation:
        # It is none of the past: the database is an older one, of a backup.
        return _Refusal("its login does not know it")
    await end_families(db, TokenFamily.id == family.id)
    await forget_token(db, family.id)
    return _Refusal("it was used before", reused_of=family.user_id)
