"""Verifying: that an e-mail address is the user's."""

from __future__ import annotations

from typing import TypeVar, overload

from ...db import Session, utcnow
from ..events import EMAIL_VERIFIED
from ..model import AbstractUser
from ..users import user_of_id
from .sealed import VERIFICATION, digest_of, used_or_void

__all__ = ["email_verification_token", "verify_email"]

U = TypeVar("U", bound=AbstractUser)


def email_verification_token(user: AbstractUser) -> str:
    """Return what proves that its bearer reads the mail of a user, once.

    It is void as soon as the address is proven or another one, when the user is deactivated, and
    after `AUTH.verification_ttl_s`.

    Args:
        user: Who is flushed already. Send it to `user.email` alone.

    Raises:
        SettingsError: SECRET_KEY is not set.
    """
    return VERIFICATION.seal([str(user.id), digest_of(user.email)])


@overload
async def verify_email(db: Session, token: str) -> AbstractUser: ...
@overload
async def verify_email(db: Session, token: str, *, model: type[U]) -> U: ...
async def verify_email(
    db: Session, token: str, *, model: type[AbstractUser] | None = None
) -> AbstractUser:
    """Write down that a user has proven the address: `email_verified_at`.

    ```python
    @router.post("/verify")
    async def verify(token: str, db: DbSession) -> None:
        await verify_email(db, token)
    ```

    Args:
        db: A session.
        token: As `email_verification_token` gave it. Anything may come here.
        model: The project's own class, for type checkers.

    Raises:
        ProofRefused: The token is none, was used, or is too old; in HTTP a 400.
        AuthError: The model is not the one of the project.
    """
    user_id, digest = VERIFICATION.open(token)
    async with db.atomic():
        user = await user_of_id(db, user_id, model=model, lock=True)
        is_open = user is not None and user.is_active and user.email_verified_at is None
        if user is None or not is_open or digest_of(user.email) != digest:
            raise used_or_void(user_id)
        user.email_verified_at = utcnow()
        await db.flush()
    EMAIL_VERIFIED.tell(user.id)
    return user
