"""The route by which anybody registers."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import SecretStr

from .....web.policies import public
from ....db import DbSession
from ...attempts import attempt
from ...users import create_user, user_model
from ..shapes import AuthUser, Email, Given, LoginName

__all__ = ["router"]

router = APIRouter(tags=["auth"])


class AuthNewUser(Given):
    """Who registers."""

    email: Email
    password: SecretStr
    login: LoginName = ""


@router.post("/register", status_code=201)
@public
async def register(given: AuthNewUser, db: DbSession) -> AuthUser:
    """Make an account; with the login where users have another one than the e-mail address."""
    is_by_email = user_model().login_field == "email"
    login = given.email if is_by_email else given.login
    fields = {} if is_by_email else {"email": given.email}
    async with attempt("register", login):
        user = await create_user(db, login, given.password.get_secret_value(), **fields)
    return AuthUser.of(user)
