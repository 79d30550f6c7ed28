"""The accounts API."""

from fastapi import APIRouter
from sqlalchemy import select

from conduit.text import Text
from fastforge.contrib.db import DbSession

from .models import User
from .schemas import NewUserRequest, Profile, ProfileResponse, UserOut, UserResponse

router = APIRouter(tags=["accounts"])


@router.post("/users", status_code=201)
async def register(body: NewUserRequest, db: DbSession) -> UserResponse:
    """Register an account. A name or an address that is taken is answered with 409."""
    user = User(**body.user.model_dump())
    db.add(user)
    await db.flush()
    return UserResponse(user=UserOut.model_validate(user))


@router.get("/profiles/{username}")
async def show_profile(username: Text, db: DbSession) -> ProfileResponse:
    """Show one account as others see it."""
    user = await db.get_or_404(select(User).where(User.username == username))
    return ProfileResponse(profile=Profile.model_validate(user))
