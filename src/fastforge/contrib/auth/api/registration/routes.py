"""The routes by which anybody registers."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import SecretStr

from .....web.policies import public
from ....db import DbSession, non_atomic
from ...users import user_model
from ..shapes import AuthAddress, AuthMailAsked, AuthUser, Given, LoginName, Token
from .registering import ask_for_registration, finish_registration

__all__ = ["router"]

router = APIRouter(tags=["auth"])


class AuthNewAccount(Given):
    """What finishes a registration, by the token of a mail."""

    token: Token
    password: SecretStr
    login: LoginName = ""


@router.post("/register", status_code=202)
@public
async def register(given: AuthAddress) -> AuthMailAsked:
    """Ask for a mail with which the registration is finished. The answer is the same for all."""
    await ask_for_registration(given.email)
    return AuthMailAsked()


@router.post("/register/confirm", status_code=201)
@public
@non_atomic
async def finish(given: AuthNewAccount, db: DbSession) -> AuthUser:
    """Make the account, with the password; the login where users have another one than the mail."""
    name = user_model().login_field
    fields = {} if name == "email" else {name: given.login}
    user = await finish_registration(
        db, given.token.get_secret_value(), given.password.get_secret_value(), **fields
    )
    return AuthUser.of(user)
