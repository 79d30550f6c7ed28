"""Changing: another password for whoever knows the present one."""

from __future__ import annotations

from ...lifecycle import current_container
from ..db import Session
from .accepting import accepted_hash, save_chosen
from .attempts import attempt
from .errors import PasswordWrong
from .events import LOGIN_FAILED, PASSWORD_CHANGED
from .model import AbstractUser
from .resources import passwords
from .users import user_of_id

__all__ = ["change_password"]


async def change_password(db: Session, user: AbstractUser, *, current: str, new: str) -> None:
    """Give a user another password, if the present one is known.

    All that was given to the user before is void then, the token of this request as well: issue
    another one, as a login does.

    ```python
    @router.post("/password")
    @non_atomic
    async def change(given: Change, user: CurrentUser, db: DbSession) -> None:
        await change_password(db, user, current=given.current, new=given.new)
    ```

    Surprises: guards hear of it as of a login, since a stolen token is no password. In `atomic`
    hashes are worked out while a connection is held: mark the handler `@non_atomic`.

    Args:
        db: The session that the user is of.
        user: Who asks for it.
        current: The present password, as typed.
        new: What they have chosen.

    Raises:
        PasswordWrong: That is not the present one, or it was changed meanwhile; in HTTP a 403.
        PasswordRefused: The new one breaks rules.
        TooManyAttempts: A guard says so.
        HashingBusy: As many wait to be hashed as may.
    """
    key, version = user.id, user.version
    async with attempt("password", user.login) as outcome:
        verdict = await current_container()[passwords].verify(current, user.password_hash)
        outcome.succeeded = verdict.is_right
    if not verdict.is_right:
        LOGIN_FAILED.tell(key, reason="wrong_password")
        raise _wrong()
    hashed = await accepted_hash(user, new)
    async with db.atomic():
        locked = await user_of_id(db, str(key), lock=True)
        if locked is None or not locked.is_active or locked.version != version:
            raise _wrong()
        await save_chosen(db, locked, hashed)
    PASSWORD_CHANGED.tell(key)


def _wrong() -> PasswordWrong:
    return PasswordWrong(
        "the present password is wrong",
        code="auth.E055",
        hint="whoever has forgotten it asks for a mail that lets them choose another one",
    )
