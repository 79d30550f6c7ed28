"""What goes in and out of the accounts API, shaped as RealWorld says."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from conduit.text import Text

Username = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s\x00]+@[^@\s\x00]+$", max_length=254)]


class NewUser(BaseModel):
    """A registration. There is no sign-in yet, so that a password is neither asked nor kept."""

    username: Username
    email: Email


class NewUserRequest(BaseModel):
    """RealWorld wraps each body in an object with one member."""

    user: NewUser


class UserOut(BaseModel):
    """An account as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    username: str
    email: str
    bio: str
    image: str
    token: str = ""


class UserResponse(BaseModel):
    """One account."""

    user: UserOut


class Profile(BaseModel):
    """An account as others see it."""

    model_config = ConfigDict(from_attributes=True)

    username: str
    bio: str
    image: str
    following: bool = False


class ProfileResponse(BaseModel):
    """One profile."""

    profile: Profile
