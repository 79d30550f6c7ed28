"""The routes for a lost password and for an address that is to be verified."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import SecretStr

from .....web.policies import public
from ....db import DbSession, non_atomic
from ...proofs.resetting import reset_password
from ...proofs.verifying import verify_email
from ..shapes import AuthAddress, AuthMailAsked, Given, Token
from .asking import ask_for_password_reset, ask_for_verification

__all__ = ["router"]

router = APIRouter(tags=["auth"])


class AuthNewPassword(Given):
    """Another password, by the token of a mail."""

    token: Token
    password: SecretStr


class AuthProof(Given):
    """The token of a mail."""

    token: Token


@router.post("/password/reset", status_code=202)
@public
async def ask_for_reset(given: AuthAddress) -> AuthMailAsked:
    """Ask for a mail with which another password can be chosen. The answer is the same for all."""
    await ask_for_password_reset(given.email)
    return AuthMailAsked()


@router.post("/password/reset/confirm", status_code=204)
@public
@non_atomic
async def reset(given: AuthNewPassword, db: DbSession) -> None:
    """Choose another password; whoever is logged in as this user is logged out."""
    token, password = given.token.get_secret_value(), given.password.get_secret_value()
    await reset_password(db, token, password)


@router.post("/email/verify", status_code=202)
@public
async def ask_for_mail(given: AuthAddress) -> AuthMailAsked:
    """Ask for a mail that verifies an address. The answer is the same for all."""
    await ask_for_verification(given.email)
    return AuthMailAsked()


@router.post("/email/verify/confirm", status_code=204)
@public
async def verify(given: AuthProof, db: DbSession) -> None:
    """Verify an address by the token of the mail."""
    await verify_email(db, given.token.get_secret_value())
