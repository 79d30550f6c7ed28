"""Registering: what the routes do, for routes of a project's own."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from ....db import Session, utcnow
from ....db.errors import UniqueViolation
from ....mail.addresses import parse_address
from ....mail.errors import MessageError
from ...errors import LoginRefused
from ...model import AbstractUser, folded
from ...proofs.sealed import REGISTRATION, used_or_void
from ...users import create_user, user_model, user_of_email
from ..mail.asking import ask
from .tasks import mail_registration

__all__ = ["ask_for_registration", "finish_registration"]

U = TypeVar("U", bound=AbstractUser)


async def ask_for_registration(email: str) -> None:
    """Let an address be mailed the link that finishes its registration.

    Neither the answer nor the time tells who has an account: whoever has one is told so by the
    mail. There is no row and no password before somebody has read it, so that nobody registers
    the address of somebody else.

    Args:
        email: What was typed.

    Raises:
        LoginRefused: No mail can be sent there.
        TooManyAttempts: A guard says so.
    """
    try:
        parse_address(folded(email), "email")
    except MessageError as error:
        raise LoginRefused(
            "this is no e-mail address", code="auth.E014", hint="write it as in ann@example.org"
        ) from error
    await ask("register", email, mail_registration)


@overload
async def finish_registration(
    db: Session, token: str, password: str, *, model: type[U], **fields: Any
) -> U: ...
@overload
async def finish_registration(
    db: Session, token: str, password: str, **fields: Any
) -> AbstractUser: ...
async def finish_registration(
    db: Session,
    token: str,
    password: str,
    *,
    model: type[AbstractUser] | None = None,
    **fields: Any,
) -> AbstractUser:
    """Make the user whose address a token proves.

    ```python
    @router.post("/welcome", status_code=201)
    @non_atomic
    async def welcome(given: Welcome, db: DbSession) -> int:
        user = await finish_registration(db, given.token, given.password, full_name=given.name)
        return user.id
    ```

    Surprises: a model that logs in by a name has to be given it among the fields. Mark the handler
    `@non_atomic`: the password is hashed in here.

    Args:
        db: A session.
        token: As the mail has it. Anything may come here.
        password: What they have chosen.
        model: The project's own class, for type checkers.
        fields: What else the model has.

    Raises:
        ProofRefused: The token is none, was used, or is too old; in HTTP a 400.
        PasswordRefused: The password breaks rules.
        LoginRefused: The login is none.
        UniqueViolation: Somebody else has that login, or another column that is unique.
        HashingBusy: As many passwords wait to be hashed as may.
        AuthError: The model is not the one of the project.
    """
    email: str = REGISTRATION.open(token)
    if await user_of_email(db, email) is not None:
        raise used_or_void()
    kind = user_model(model)
    given = {**fields, "email": email, "email_verified_at": utcnow()}
    login = given.pop(kind.login_field, "")
    try:
        async with db.atomic():
            return await create_user(db, login, password, model=kind, **given)
    except UniqueViolation:
        if await user_of_email(db, email) is not None:  # somebody was quicker with the same link
            raise used_or_void() from None
        raise
