"""Logins: a browser's session becomes a user's, and stops being it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..auth import forget_everybody, forget_token
from ..db import Session as Db
from .events import LOGGED_OUT
from .resources import store_here
from .saving import token_id_of
from .session import WebSession

if TYPE_CHECKING:
    from ..auth import AbstractUser

__all__ = ["end_all_sessions", "end_sessions", "log_in", "log_out"]


async def log_in(session: WebSession, user: AbstractUser) -> None:
    """Let a browser be a user's, from the next request on.

    ```python
    @router.post("/login")
    @non_atomic
    async def login(given: Annotated[Credentials, Form()], db: DbSession, session: Session) -> None:
        user = await authenticate(db, given.email, given.password)
        if user is None:
            raise HTTPException(401)
        await log_in(session, user)
    ```

    The cookie says something else from then on, so that nobody has given it to the browser before
    or knows it from then. What the session held stays, unless somebody else was logged in.

    Surprises: nothing is written before the answer, as for all that a session is told. Whoever is
    logged in is so until SESSIONS.lifetime_s is over, until nobody has come for SESSIONS.idle_s, or
    until their password or rights change; after a change of their own, log them in again.

    Args:
        session: The browser's.
        user: Who has proved to be it.

    Raises:
        SessionTooLate: Nothing would save it.
    """
    await session.become(user)


async def log_out(session: WebSession) -> None:
    """Let a browser be nobody's: its session is deleted, and the browser forgets the cookie.

    ```python
    @router.post("/logout")
    async def logout(session: Session) -> None:
        await log_out(session)
    ```

    Args:
        session: The browser's.

    Raises:
        SessionTooLate: Nothing would save it.
    """
    session.end()


async def end_sessions(db: Db, user_id: object) -> int:
    """Log a user out of all browsers; return of how many.

    `revoke_user` of `fastforge.contrib.auth` does it too, besides the tokens.

    ```python
    await end_sessions(db, user.id)
    ```

    Args:
        db: A session; what is written stands in `atomic`, in yours if there is one.
        user_id: Whose.
    """
    async with db.atomic(savepoint=False):
        ended = await store_here().delete_of(db, str(user_id))
        for each in ended:
            await forget_token(db, token_id_of(each))
    if ended:
        LOGGED_OUT.tell(user_id)
    return len(ended)


async def end_all_sessions(db: Db) -> int:
    """Log everybody out of all browsers, and forget what browsers without a login hold.

    Args:
        db: A session; what is written stands in `atomic`, in yours if there is one.
    """
    async with db.atomic(savepoint=False):
        count = await store_here().delete_all(db)
        await forget_everybody(db)
    LOGGED_OUT.tell()
    return count
