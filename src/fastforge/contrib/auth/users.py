"""Users: made, found, and given a password."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from sqlalchemy import select

from ..._modules import import_object
from ..._utils import told
from ...conf import Settings
from ...lifecycle import current_container
from ..db import Session
from .accepting import accepted_hash
from .errors import AuthError, LoginRefused
from .events import PASSWORD_CHANGED, USER_CREATED
from .model import LONGEST_LOGIN, AbstractUser, key_in
from .settings import Auth

__all__ = [
    "create_user",
    "find_user",
    "model_of",
    "set_password",
    "user_model",
    "user_of_email",
    "user_of_id",
]

U = TypeVar("U", bound=AbstractUser)


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


@overload
def user_model() -> type[AbstractUser]: ...
@overload
def user_model(expected: type[U] | None) -> type[U]: ...
def user_model(expected: type[AbstractUser] | None = None) -> type[AbstractUser]:
    """Return the user model of the running project.

    Args:
        expected: The class that a type checker shall know it by.

    Raises:
        AuthError: AUTH.user_model names none, or another one than is expected.
        ContainerMissing: No project runs here.
    """
    settings = current_container().settings
    model = model_of(settings)
    if expected is not None and not issubclass(model, expected):
        raise AuthError(
            f"the users are {model.__module__}.{model.__qualname__},"
            f" and no {expected.__qualname__}",
            code="auth.E052",
            hint="give the class that AUTH.user_model names",
            where=settings.where("AUTH"),
        )
    return model


@overload
async def find_user(db: Session, login: str) -> AbstractUser | None: ...
@overload
async def find_user(db: Session, login: str, *, model: type[U]) -> U | None: ...
async def find_user(
    db: Session, login: str, *, model: type[AbstractUser] | None = None
) -> AbstractUser | None:
    """Return the user of a login, however it is typed, also one who is not active.

    ```python
    ann = await find_user(db, "ann@example.org", model=User)  # a User, as type checkers know
    ```

    Args:
        db: A session.
        login: What somebody types to log in.
        model: The project's own class, for type checkers.

    Raises:
        AuthError: The model is not the one of the project.
    """
    model = user_model(model)
    if len(login) > LONGEST_LOGIN or not login.isprintable():
        return None  # no database has it, and some complain about the question
    column = getattr(model, model.login_field)
    return (await db.scalars(select(model).where(column == login))).one_or_none()


async def user_of_email(db: Session, email: str) -> AbstractUser | None:
    """Return the user who has an e-mail address, however it is typed.

    Args:
        db: A session.
        email: What was typed.
    """
    model = user_model()
    if len(email) > LONGEST_LOGIN or not email.isprintable():
        return None
    return (await db.scalars(select(model).where(model.email == email))).one_or_none()


@overload
async def user_of_id(db: Session, text: str, *, lock: bool = False) -> AbstractUser | None: ...
@overload
async def user_of_id(
    db: Session, text: str, *, model: type[U] | None, lock: bool = False
) -> U | None: ...
async def user_of_id(
    db: Session, text: str, *, model: type[AbstractUser] | None = None, lock: bool = False
) -> AbstractUser | None:
    """Return the user whose id a text is, as the row is now.

    Args:
        db: A session.
        text: As `str(user.id)` has it; anything else is nobody's.
        model: The project's own class, for type checkers.
        lock: Let nobody else change them before the end of the transaction.

    Raises:
        AuthError: The model is not the one of the project.
    """
    model = user_model(model)
    key = key_in(model, text)
    if key is None:
        return None
    query = select(model).where(model.id == key).execution_options(populate_existing=True)
    return (await db.scalars(query.with_for_update() if lock else query)).one_or_none()


@overload
async def create_user(
    db: Session, login: str, password: str | None = None, *, model: type[U], **fields: Any
) -> U: ...
@overload
async def create_user(
    db: Session, login: str, password: str | None = None, **fields: Any
) -> AbstractUser: ...
async def create_user(
    db: Session,
    login: str,
    password: str | None = None,
    *,
    model: type[AbstractUser] | None = None,
    **fields: Any,
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
        model: The project's own class, for type checkers.
        fields: What else the model has.

    Raises:
        PasswordRefused: The password breaks rules.
        LoginRefused: The login is empty, or the e-mail address has no @.
        IntegrityError: There is such a user already; in HTTP a 409.
        HashingBusy: As many passwords wait to be hashed as may.
        AuthError: The model is not the one of the project.
    """
    model = user_model(model)
    user = model(**{model.login_field: login, **fields})
    _refuse_odd(model, user.login, user.email)
    hashed = None if password is None else await accepted_hash(user, password)
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
    user.password_hash = await accepted_hash(user, password)
    PASSWORD_CHANGED.tell(user.id)


def _refuse_odd(model: type[AbstractUser], login: str, email: str | None) -> None:
    """Refuse what nobody can log in by or be written to; a mail proves the rest.

    What is told is their one form, which may be longer than what was typed.
    """
    longest = min(LONGEST_LOGIN, _longest(model, model.login_field))
    if not login or len(login) > longest or not login.isprintable():
        raise LoginRefused(
            "the login is empty, too long or no text", code="auth.E014", hint="choose another one"
        )
    if email is not None and not _is_address(email, _longest(model, "email")):
        raise LoginRefused(
            "this is no e-mail address", code="auth.E014", hint="write it as in ann@example.org"
        )


def _is_address(email: str, longest: int) -> bool:
    name, at, host = email.strip().rpartition("@")
    is_text = email.isprintable() and not any(map(str.isspace, name + host))
    return bool(name and at and host) and is_text and len(email) <= longest


def _longest(model: type[AbstractUser], field: str) -> int:
    length: int | None = getattr(model.__mapper__.columns[field].type, "length", None)
    return LONGEST_LOGIN if length is None else length


def _no_model(settings: Settings, problem: str) -> AuthError:
    return AuthError(
        f"AUTH.user_model: {problem}",
        code="auth.E015",
        hint='write the dotted name of a class in an app\'s models.py: "shop.accounts.models.User"',
        where=settings.where("AUTH"),
    )
