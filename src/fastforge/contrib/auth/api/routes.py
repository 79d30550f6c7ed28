"""The routes of those who have an account: in, on, out, and who they are."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from pydantic import SecretStr

from ....web.policies import policy, public
from ...db import DbSession, non_atomic
from ..changing import change_password
from ..errors import LoginWrong, NoLogin, NotAuthenticated
from ..identity.dependencies import CurrentIdentity, CurrentUser, identity_here
from ..identity.principal import Identity
from ..identity.scheme import SCHEME_NAME
from ..login import authenticate
from ..tokens.issuing import issue, refresh
from ..tokens.pairs import TokenPair
from ..tokens.revoking import revoke, revoke_user
from .shapes import AuthTokens, AuthUser, Given, LoginName, Token

__all__ = ["router"]

router = APIRouter(tags=["auth"])

SECURED_OR_NOT: Final[dict[str, Any]] = {"security": [{SCHEME_NAME: []}, {}]}


class AuthLogin(Given):
    """Who logs in."""

    login: LoginName
    password: SecretStr


class AuthRefreshToken(Given):
    """The refresh token of a login."""

    refresh_token: Token


class AuthPasswordChange(Given):
    """The present password, and the new one."""

    current_password: SecretStr
    new_password: SecretStr


@policy
async def _has_login(me: CurrentIdentity) -> Identity:
    """Let those go on who have logged in here: no program with a key, nobody from elsewhere."""
    return _of_here(me, "token", "session")


@policy
async def _has_token(me: CurrentIdentity) -> Identity:
    """Let those go on whose login has tokens: one with a cookie shall not get any."""
    return _of_here(me, "token")


def _of_here(me: Identity, *kinds: str) -> Identity:
    # A verifier of a project's own may have named no kind: the 7 of others is nobody's 7 here.
    if me.kind not in kinds or not me.version:
        raise NoLogin(me.kind)
    return me


HasLogin = Annotated[Identity, Depends(_has_login)]
HasToken = Annotated[Identity, Depends(_has_token)]


@router.post("/login")
@public
@non_atomic
async def log_in(given: AuthLogin, db: DbSession, response: Response) -> AuthTokens:
    """Log in: a token for the header of each request, and one for the next pair."""
    user = await authenticate(db, given.login, given.password.get_secret_value())
    if user is None:
        raise LoginWrong
    return _shown(await issue(db, user), response)


@router.post("/refresh")
@public
@non_atomic
async def renew(given: AuthRefreshToken, db: DbSession, response: Response) -> AuthTokens:
    """Get the next pair of tokens. A refresh token is good once."""
    return _shown(await refresh(db, given.refresh_token.get_secret_value()), response)


@router.post("/logout", status_code=204, openapi_extra=SECURED_OR_NOT)
@public
async def log_out(db: DbSession, given: AuthRefreshToken | None = None) -> None:
    """End one login: that of a refresh token, or without one that of the request."""
    if given is not None:
        await revoke(db, given.refresh_token.get_secret_value())
        return
    me = await identity_here()
    if me is None:
        raise NotAuthenticated
    await revoke(db, token_id=(await _has_token(me)).token_id)


@router.post("/logout/all", status_code=204)
async def log_out_everywhere(me: HasLogin, db: DbSession) -> None:
    """End all logins of this user, this one as well."""
    await revoke_user(db, me.id)


@router.get("/me")
async def who_am_i(user: CurrentUser, response: Response) -> AuthUser:
    """Return who is logged in."""
    _keep_from_caches(response)
    return AuthUser.of(user)


@router.post("/password")
@non_atomic
async def choose_password(
    given: AuthPasswordChange, me: HasToken, user: CurrentUser, db: DbSession, response: Response
) -> AuthTokens:
    """Choose another password: all logins end, and this one goes on with a new pair of tokens."""
    current = given.current_password.get_secret_value()
    await change_password(db, user, current=current, new=given.new_password.get_secret_value())
    # No more than the login could that asks.
    scopes = None if me.is_superuser else me.scopes
    return _shown(await issue(db, user, scopes=scopes), response)


def _shown(pair: TokenPair, response: Response) -> AuthTokens:
    _keep_from_caches(response)
    return AuthTokens.of(pair)


def _keep_from_caches(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"
