"""Resetting: another password for whoever reads the user's mail."""

from __future__ import annotations

from typing import TypeVar, overload

from ...db import Session, utcnow
from ..accepting import accepted_hash, save_chosen
from ..events import PASSWORD_RESET
from ..model import AbstractUser
from ..tokens.revoking import revoke_user
from ..users import user_of_id
from .sealed import RESET, digest_of, used_or_void

__all__ = ["password_reset_token", "reset_password"]

U = TypeVar("U", bound=AbstractUser)


def password_reset_token(user: AbstractUser) -> str:
    """Return what lets its bearer choose another password for a user, once.

    ```python
    link = f"https://shop.example.org/reset#{password_reset_token(user)}"
    ```

    It is void as soon as the user has another password, another address, or is deactivated, and
    after `AUTH.reset_ttl_s`.

    Surprises: whoever has it has the account. Send it to `user.email` alone, and put it behind a
    `#`, where neither servers nor the next page get to see it.

    Args:
        user: Who is flushed already; also somebody who has no password yet.

    Raises:
        SettingsError: SECRET_KEY is not set.
    """
    return RESET.seal([str(user.id), user.version, digest_of(user.email)])


@overload
async def reset_password(db: Session, token: str, password: str) -> AbstractUser: ...
@overload
async def reset_password(db: Session, token: str, password: str, *, model: type[U]) -> U: ...
async def reset_password(
    db: Session, token: str, password: str, *, model: type[AbstractUser] | None = None
) -> AbstractUser:
    """Give a user the password that the bearer of a token has chosen.

    All that was given to the user before is void then: logins, API keys, the other links. The
    address counts as proven. Of several who use one token at the same time, one succeeds.

    ```python
    @router.post("/reset")
    @non_atomic
    async def reset(given: Reset, db: DbSession) -> None:
        await reset_password(db, given.token, given.password)
    ```

    Surprises: a password that breaks rules leaves the token as it was. In `atomic` the hash is
    worked out while a connection is held: mark the handler `@non_atomic`.

    Args:
        db: A session.
        token: As `password_reset_token` gave it. Anything may come here.
        password: What they have chosen.
        model: The project's own class, for type checkers.

    Raises:
        ProofRefused: The token is none, was used, or is too old; in HTTP a 400.
        PasswordRefused: The password breaks rules.
        HashingBusy: As many passwords wait to be hashed as may.
        AuthError: The model is not the one of the project.
    """
    user_id, version, digest = RESET.open(token)
    user = await user_of_id(db, user_id, model=model)
    if user is None or not _is_bound(user, version, digest):
        raise used_or_void(user_id)
    hashed = await accepted_hash(user, password)
    async with db.atomic():
        user = await user_of_id(db, user_id, model=model, lock=True)
        if user is None or not _is_bound(user, version, digest):
            raise used_or_void(user_id)
        user.email_verified_at = user.email_verified_at or utcnow()
        await save_chosen(db, user, hashed)
        # Who is locked out does not know who has made the keys.
        await revoke_user(db, user.id, api_keys=True)
    PASSWORD_RESET.tell(user.id)
    return user


def _is_bound(user: AbstractUser, version: int, digest: str) -> bool:
    return user.is_active and (user.version, digest_of(user.email)) == (version, digest)
