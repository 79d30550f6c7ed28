"""Login: whose a login and a password are, and what that leaves behind."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from pydantic import SecretStr
from sqlalchemy import update

from ...lifecycle import current_container
from ..db import Session, utcnow
from .attempts import attempt
from .errors import TooManyAttempts
from .events import LOGIN, LOGIN_FAILED, Reason
from .hashing import Verdict, is_usable
from .kinds import LOGIN_RULES
from .model import AbstractUser
from .resources import passwords
from .users import find_user, user_model

__all__ = ["authenticate"]

U = TypeVar("U", bound=AbstractUser)


@overload
async def authenticate(db: Session, login: str, password: str) -> AbstractUser | None: ...
@overload
async def authenticate(db: Session, login: str, password: str, *, model: type[U]) -> U | None: ...
async def authenticate(
    db: Session, login: str, password: str, *, model: type[AbstractUser] | None = None
) -> AbstractUser | None:
    """Return the active user whose login and password these are, or None.

    ```python
    @router.post("/login")
    @non_atomic
    async def login(given: Login, db: DbSession) -> None:
        user = await authenticate(db, given.email, given.password)
        if user is None:
            raise HTTPException(401)
    ```

    One hash is worked out whoever it is, also for nobody, so that the time tells nothing. What
    the login leaves behind (`last_login_at`, and a hash with the parameters of today in the place
    of an older one) is written in one `atomic`, and only if nobody has deactivated the user or
    changed the password meanwhile. In a request the guards of logins are asked first.

    Surprises: in `atomic` the hash is worked out while a connection is held, and the pool is soon
    empty. Mark the handler `@non_atomic`.

    Args:
        db: A session.
        login: What was typed; upper and lower case are one.
        password: What was typed.
        model: The project's own class, for type checkers.

    Raises:
        HashingBusy: As many wait to be hashed as may; in HTTP a 503 with `Retry-After`.
        TooManyAttempts: A guard says so; in HTTP a 429 with `Retry-After`.
        AuthError: The model is not the one of the project.
    """
    model = user_model(model)
    try:
        async with attempt("login", login) as outcome:
            user = await _authenticated(db, login, password)
            outcome.succeeded = user is not None
    except TooManyAttempts:
        LOGIN_FAILED.tell(reason="too_many_attempts")
        raise
    if user is not None:
        LOGIN.tell(user.id)
    return user


async def _authenticated(db: Session, login: str, password: str) -> AbstractUser | None:
    """Return whose login and password these are; where nobody's, the audit has been told why."""
    if not is_usable(password):
        LOGIN_FAILED.tell(reason="unusable_password")
        return None
    user = await find_user(db, login)
    stored = None if user is None else user.password_hash
    verdict = await current_container()[passwords].verify(password, stored)
    if user is None:
        LOGIN_FAILED.tell(reason="unknown")
        return None
    reason, rule = _reason(user, verdict), ""
    if reason is None:
        rule = _refusing_rule(user)
        reason = "login_rule" if rule else None
    if reason is None and not await _let_in(db, user, verdict):
        reason = "changed_meanwhile"
    if reason is not None:
        LOGIN_FAILED.tell(user.id, reason=reason, rule=rule)
        return None
    return user


def _refusing_rule(user: AbstractUser) -> str:
    rules = current_container().registry.values(LOGIN_RULES)
    return next((rule.name for rule in rules if not rule.function(user)), "")


def _reason(user: AbstractUser, verdict: Verdict) -> Reason | None:
    if not user.has_password:
        return "no_password"
    if not verdict.is_readable:
        return "unreadable_hash"
    if not verdict.is_right:
        return "wrong_password"
    return None if user.is_active else "inactive"


async def _let_in(db: Session, user: AbstractUser, verdict: Verdict) -> bool:
    """Write down a login; return whether the user is still what the password was compared with."""
    model, key, version = type(user), user.id, user.version
    values: dict[str, Any] = {"last_login_at": utcnow()}
    if verdict.replacement is not None:
        values["password_hash"] = SecretStr(verdict.replacement)
    same = (model.id == key, model.version == version, model.is_active)
    async with db.atomic():
        # Not by the object: another hash of the same password makes no other version.
        done = await db.execute(update(model).where(*same).values(values).returning(model.id))
        return done.scalar_one_or_none() is not None
