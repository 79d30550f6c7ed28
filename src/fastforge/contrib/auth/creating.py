"""Creating: what the commands that make users have in common."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from ..._utils import did_you_mean
from ...exceptions import CommandError
from ..db import Session, utcnow
from .errors import LoginRefused, PasswordRefused
from .model import AbstractUser
from .terminal import asked_password, asked_text
from .users import create_user, find_user, set_password, user_model

__all__ = ["change_password", "create"]

NOT_BY_HAND = ("id", "password_hash", "version", "created_at")


async def create(
    db: Session,
    login: str,
    fields: Sequence[str],
    *,
    from_stdin: bool,
    ask: bool,
    **given: Any,
) -> AbstractUser:
    """Make a user from what stands on the command line and what is asked for.

    Raises:
        CommandError: There is such a user, a field or the password is missing or wrong.
    """
    model = user_model()
    login = login or await asked_text(model.login_field, ask=ask)
    # Who may run this vouches for the address.
    values = {"email_verified_at": utcnow()} | given | dict(_field(model, text) for text in fields)
    _refuse_missing(model, {model.login_field, *values})
    if await find_user(db, login) is not None:
        raise CommandError(
            f"there is a user {login!r} already",
            code="auth.E022",
            hint="changepassword gives them another password",
        )
    password = await asked_password(from_stdin=from_stdin, ask=ask)
    try:
        async with db.atomic():
            return await create_user(db, login, password, **values)
    except (PasswordRefused, LoginRefused) as error:
        raise _as_command_error(error) from error


async def change_password(db: Session, login: str, *, from_stdin: bool, ask: bool) -> AbstractUser:
    """Give a user the password that is asked for.

    Raises:
        CommandError: There is no such user, or the password is missing or wrong.
    """
    login = login or await asked_text(user_model().login_field, ask=ask)
    user = await find_user(db, login)
    if user is None:
        raise CommandError(
            f"there is no user {login!r}",
            code="auth.E023",
            hint=f"name one by {user_model().login_field}; createuser makes one",
        )
    password = await asked_password(from_stdin=from_stdin, ask=ask)
    try:
        async with db.atomic():
            await set_password(user, password)
    except PasswordRefused as error:
        raise _as_command_error(error) from error
    return user


def _as_command_error(error: PasswordRefused | LoginRefused) -> CommandError:
    return CommandError(error.message, code=error.code, hint=error.hint)


def _field(model: type[AbstractUser], text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    columns = {each.key: each for each in model.__mapper__.column_attrs}
    known = [each for each in columns if each not in (*NOT_BY_HAND, model.login_field)]
    if not equals or name not in known:
        raise CommandError(
            f"--field {text!r} is no field of {model.__name__} with a value",
            code="auth.E024",
            hint=did_you_mean(name, known) or f"write NAME=VALUE; there are {', '.join(known)}",
        )
    kind = columns[name].columns[0].type
    is_json = isinstance(kind, sa.JSON)
    try:
        return name, json.loads(value) if is_json else _read(kind.python_type, value)
    except ValueError:  # pydantic's is one as well
        raise CommandError(
            f"--field {name}: {value!r} is no {'JSON' if is_json else kind.python_type.__name__}",
            code="auth.E024",
            hint="lists are written as JSON, truth as true or false",
        ) from None


def _read(type_: type[Any], value: str) -> Any:
    return TypeAdapter(type_).validate_python(value)


def _refuse_missing(model: type[AbstractUser], given: set[str]) -> None:
    missing = [
        each.key
        for each in model.__mapper__.column_attrs
        for column in each.columns
        if not (column.nullable or column.primary_key or column.default or column.server_default)
        if each.key not in given
    ]
    if missing:
        raise CommandError(
            f"{model.__name__} needs {', '.join(missing)} as well",
            code="auth.E025",
            hint=" ".join(f"--field {name}=..." for name in missing),
        )
