"""Users: made, found, given a password, and let in."""

from __future__ import annotations

from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import select, update

from ..._utils import import_object, told
from ...conf import Settings
from ...lifecycle import current_container
from ..db import Session, utcnow
from .errors import AuthError, LoginRefused, refused
from .events import LOGIN, LOGIN_FAILED, PASSWORD_CHANGED, USER_CREATED, Reason
from .hashing import Verdict, is_usable
from .model import AbstractUser
from .resources import passwords
from .settings import Auth
from .weaknesses import weaknesses_of

__all__ = ["authenticate", "create_user", "find_user", "model_of", "set_password", "user_model"]

LONGEST_LOGIN: Final = 320


def model_of(settings: Settings) -> type[AbstractUser]:
    """Return the model that AUTH.user_model names.

    Raises:
        AuthError: It names none.
    """
    name = settings.section(Auth).user_model
    try:
        model = import_object(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise _no_model(settings, f"{name!r} cannot be imported: {told(error)}") from error
    if not (isinstance(model, type) and issubclass(model, AbstractUser)):
        raise _no_model(settings, f"{name!r} is no AbstractUser")
    if model.__dict__.get("__abstract__"):
        raise _no_model(settings, f"{name!r} is abstract and has no table")
    return model


def user_model() -> type[AbstractUser]:
    """Return the user model of the running project.

    Raises:
        AuthError: AUTH.user_model names none.
        ContainerMissing: No project runs here.
    """
    return model_of(current_container().settings)


async def find_user(db: Session, login: str) -> AbstractUser | None:
    """Return the user of a login, however it is typed, also one who is not active.

    Args:
        db: A session.
        login: What somebody types to log in.
    """
    model = user_model()
    if len(login) > LONGEST_LOGIN or not login.isprintable():
        return None  # no database has it, and some complain about the question
    column = getattr(model, model.login_field)
    return (await db.scalars(select(model).where(column == login))).one_or_none()


async def create_user(
    db: Session, login: str, password: str | None = None, **fields: Any
) -> AbstractUser:
    """Make a user and flush it.

    ```python
    async with db.atomic():
        ann = await create_user(db, "ann@example.org", "plum-kettle-9", scopes=["orders:read"])
    ```

    Surprises: it has to stand in `atomic`, since it writes. The password is hashed before that: a
    block in which nothing was read or written yet holds no connection meanwhile, any other does.

    Args:
        db: A session, in `atomic`.
        login: What they will log in by.
        password: None for somebody who logs in elsewhere.
        fields: What else the model has.

    Raises:
        PasswordRefused: The password breaks rules.
        LoginRefused: The login is empty, or the e-mail address has no @.
        IntegrityError: There is such a user already; in HTTP a 409.
        HashingBusy: As many passwords wait to be hashed as may.
    """
    model = user_model()
    user = model(**{model.login_field: login, **fields})
    _refuse_odd(user.login, user.email)
    hashed = None if password is None else await _accepted(user, password)
    user.password_hash = hashed
    db.add(user)
    await db.flush()
    USER_CREATED.tell(user.id)
    return user


async def set_password(user: AbstractUser, password: str) -> None:
    """Give a user another password; whoever saves it makes the version one more.

    Args:
        user: Whose it shall be.
        password: What they have chosen.

    Raises:
        PasswordRefused: It breaks rules.
        HashingBusy: As many wait to be hashed as may.
    """
    user.password_hash = await _accepted(user, password)
    PASSWORD_CHANGED.tell(user.id)


async def authenticate(db: Session, login: str, password: str) -> AbstractUser | None:
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
    changed the password meanwhile.

    Surprises: in `atomic` the hash is worked out while a connection is held, and the pool is soon
    empty. Mark the handler `@non_atomic`.

    Args:
        db: A session.
        login: What was typed; upper and lower case are one.
        password: What was typed.

    Raises:
        HashingBusy: As many wait to be hashed as may; in HTTP a 503 with `Retry-After`.
    """
    if not is_usable(password):
        LOGIN_FAILED.tell(reason="unusable_password")
        return None
    user = await find_user(db, login)
    stored = None if user is None else user.password_hash
    verdict = await current_container()[passwords].verify(password, stored)
    if user is None:
        LOGIN_FAILED.tell(reason="unknown")
        return None
    reason = _reason(user, verdict)
    if reason is None and not await _let_in(db, user, verdict):
        reason = "changed_meanwhile"
    if reason is not None:
        LOGIN_FAILED.tell(user.id, reason=reason)
        return None
    LOGIN.tell(user.id)
    return user


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


async def _accepted(user: AbstractUser, password: str) -> SecretStr:
    weaknesses = weaknesses_of(password, user)
    if weaknesses:
        raise refused(weaknesses)
    return await current_container()[passwords].hash(password)


def _refuse_odd(login: str, email: str | None) -> None:
    """Refuse what nobody can log in by or be written to; a mail proves the rest."""
    if not login or len(login) > LONGEST_LOGIN or not login.isprintable():
        raise LoginRefused(
            "the login is empty, too long or no text", code="auth.E014", hint="choose another one"
        )
    if email is not None:
        name, at, host = email.strip().rpartition("@")
        if not (name and at and host) or any(map(str.isspace, name + host)):
            raise LoginRefused(
                "the e-mail address is none",
                code="auth.E014",
                hint="write it as in ann@example.org",
            )


def _no_model(settings: Settings, problem: str) -> AuthError:
    return AuthError(
        f"AUTH.user_model: {problem}",
        code="auth.E015",
        hint='write the dotted name of a class in an app\'s models.py: "shop.accounts.models.User"',
        where=settings.where("AUTH"),
    )
