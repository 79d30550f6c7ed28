"""What goes in and out of the accounts API, shaped as RealWorld says."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from conduit.text import Text

from . import models

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


class LoginUser(BaseModel):
    """Who wants to log in."""

    email: Annotated[Text, StringConstraints(min_length=1)]
    password: SecretStr


class LoginRequest(BaseModel):
    """A login, wrapped."""

    user: LoginUser


class UpdateUser(BaseModel):
    """What somebody changes of their own account; what is left out stays.

    Each field has a factory and no default: null is refused, and the OpenAPI document does not say
    that what is left out becomes empty.
    """

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


class UpdateUserRequest(BaseModel):
    """Changes, wrapped."""

    user: UpdateUser


class User(BaseModel):
    """An account as its owner sees it, with the token that its next requests bring."""

    username: str
    email: str
    bio: str
    image: str
    token: str


class UserResponse(BaseModel):
    """One account."""

    user: User

    @classmethod
    def of(cls, user: models.User, token: str) -> Self:
        """Return what the owner of an account is told."""
        return cls(
            user=User(
                username=user.username,
                email=user.email,
                bio=user.bio,
                image=user.image,
                token=token,
            )
        )


class Profile(BaseModel):
    """An account as others see it."""

    model_config = ConfigDict(
        from_attributes=True, json_schema_serialization_defaults_required=True
    )

    username: str
    bio: str
    image: str
    following: bool = False


class ProfileResponse(BaseModel):
    """One profile."""

    profile: Profile

    @classmethod
    def of(cls, user: models.User, *, following: bool) -> Self:
        """Return what somebody is told of an account."""
        profile = Profile.model_validate(user)
        profile.following = following
        return cls(profile=profile)
