"""The accounts API."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import select

from conduit.text import Text
from fastforge.contrib.auth import (
    CurrentIdentity,
    CurrentUser,
    authenticate,
    create_user,
    issue,
    set_password,
)
from fastforge.contrib.db import DbSession, non_atomic

from .errors import LISTED
from .following import follow, is_followed_by, unfollow
from .models import User
from .reader import Reader
from .schemas import (
    LoginRequest,
    NewUserRequest,
    ProfileResponse,
    UpdateUserRequest,
    UserResponse,
)

router = APIRouter(tags=["accounts"], responses=LISTED)


async def _own_token(request: Request) -> str:
    return request.headers["authorization"].split()[-1]


OwnToken = Annotated[str, Depends(_own_token)]
"""The token that somebody has shown: RealWorld gives it back with the account."""


@router.post("/users", status_code=201)
async def register(body: NewUserRequest, db: DbSession) -> UserResponse:
    """Register an account. A name or an address that is taken is answered with 409."""
    new = body.user
    user = await create_user(
        db, new.email, new.password.get_secret_value(), model=User, username=new.username
    )
    pair = await issue(db, user)
    return UserResponse.of(user, pair.access_token)


@router.post("/users/login")
@non_atomic
async def log_in(body: LoginRequest, db: DbSession) -> UserResponse:
    """Log in. The same 401 for a wrong password and for an address that nobody has."""
    password = body.user.password.get_secret_value()
    user = await authenticate(db, body.user.email, password, model=User)
    if user is None:
        headers = {"WWW-Authenticate": "Token"}
        raise HTTPException(401, "the e-mail address or the password is wrong", headers)
    pair = await issue(db, user)
    return UserResponse.of(user, pair.access_token)


@router.get("/user")
async def show_account(user: CurrentUser[User], token: OwnToken) -> UserResponse:
    """Show somebody their own account."""
    return UserResponse.of(user, token)


@router.put("/user")
@non_atomic
async def change_account(
    body: UpdateUserRequest, user: CurrentUser[User], token: OwnToken, db: DbSession
) -> UserResponse:
    """Change somebody's own account. Another password ends all logins but the one that is given."""
    has_password = "password" in body.user.model_fields_set
    if has_password:  # it is hashed here, where no connection is held
        await set_password(user, body.user.password.get_secret_value())
    async with db.atomic():
        for name, value in body.user.of_columns().items():
            setattr(user, name, value)
        if has_password:
            token = (await issue(db, user)).access_token
    return UserResponse.of(user, token)


@router.get("/profiles/{username}")
async def show_profile(username: Text, db: DbSession, reader_id: Reader) -> ProfileResponse:
    """Show one account as others see it."""
    user = await db.get_or_404(select(User).where(User.username == username))
    is_followed = select(User.id).where(User.id == user.id, is_followed_by(reader_id))
    return ProfileResponse.of(user, following=await db.exists(is_followed))


@router.post("/profiles/{username}/follow")
async def follow_profile(username: Text, db: DbSession, me: CurrentIdentity) -> ProfileResponse:
    """Follow somebody: their articles are in the feed from now on."""
    user = await db.get_or_404(select(User).where(User.username == username))
    if user.id == me.id:
        raise HTTPException(422, "nobody follows themselves")
    await follow(db, me.id, user.id)
    return ProfileResponse.of(user, following=True)


@router.delete("/profiles/{username}/follow")
async def unfollow_profile(username: Text, db: DbSession, me: CurrentIdentity) -> ProfileResponse:
    """Follow somebody no more."""
    user = await db.get_or_404(select(User).where(User.username == username))
    await unfollow(db, me.id, user.id)
    return ProfileResponse.of(user, following=False)
