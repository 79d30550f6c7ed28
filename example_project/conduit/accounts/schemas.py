"""What goes in and out of the accounts API, shaped as RealWorld says."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from conduit.text import Text

from .models import User

Username = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s\x00]+@[^@\s\x00]+$", max_length=254)]
Bio = Annotated[Text, StringConstraints(max_length=2000)]
Image = Annotated[Text, StringConstraints(max_length=500)]


class NewUser(BaseModel):
    """A registration."""

    username: Username
    email: Email
    password: SecretStr


class NewUserRequest(BaseModel):
    """RealWorld wraps each body in an object with one member."""

    user: NewUser


class Login(BaseModel):
    """Who wants to log in."""

    email: Text
    password: SecretStr


class LoginRequest(BaseModel):
    """A login, wrapped."""

    user: Login


class UserChanges(BaseModel):
    """What somebody changes of their own account; what is left out stays."""

    email: Email = Field(default_factory=str)
    username: Username = Field(default_factory=str)
    password: SecretStr = Field(default_factory=lambda: SecretStr(""))
    bio: Bio = Field(default_factory=str)
    image: Image = Field(default_factory=str)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what to change")
        return self

    def of_columns(self) -> dict[str, str]:
        """Return what is changed as it stands, by the names of its columns."""
        return self.model_dump(exclude_unset=True, exclude={"password"})


class UserChangesRequest(BaseModel):
    """Changes, wrapped."""

    user: UserChanges


class UserOut(BaseModel):
    """An account as its owner sees it, with the token that its next requests bring."""

    username: str
    email: str
    bio: str
    image: str
    token: str


class UserResponse(BaseModel):
    """One account."""

    user: UserOut

    @classmethod
    def of(cls, user: User, token: str) -> Self:
        """Return what the owner of an account is told."""
        return cls(
            user=UserOut(
                username=user.username,
                email=user.email,
                bio=user.bio,
                image=user.image,
                token=token,
            )
        )


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
