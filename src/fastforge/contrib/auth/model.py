"""AbstractUser: what every user has; a project's own class adds its table and its columns."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Model, utcnow
from .errors import AuthError
from .identity.forgetting import note_user

__all__ = [
    "LONGEST_EMAIL",
    "LONGEST_LOGIN",
    "AbstractUser",
    "Folded",
    "folded",
    "key_in",
    "key_type_of",
    "refuse_text",
]

LONGEST_EMAIL: Final = 254
LONGEST_LOGIN: Final = 320
_CHECKED: Final = "fastforge_folded_checked"
WATCHED: Final = ("password_hash", "is_active", "is_superuser", "scopes")
"""What a cached identity depends on: a change of one of them makes another version."""


def folded(text: str) -> str:
    """Return the one form of all the ways in which a login is typed.

    >>> folded(" Ann@Example.ORG ")
    'ann@example.org'
    """
    lower = unicodedata.normalize("NFKC", text.strip()).lower()
    return unicodedata.normalize("NFKC", lower)


class Folded(sa.TypeDecorator[str]):
    """A text of which upper and lower case are one: `unique=True` and `==` mean any of them.

    It is kept in small letters, on every database alike; in an `AbstractUser` a CHECK refuses what
    raw SQL writes otherwise.

    ```python
    username: Mapped[str] = mapped_column(Folded(150), unique=True)
    ```
    """

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Fold what is written, and what is looked for."""
        return None if value is None else folded(value)


class HashText(sa.TypeDecorator[SecretStr]):
    """The hash of a password, which no `repr`, encoder or log line shows."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: SecretStr | None, dialect: sa.Dialect) -> str | None:
        """Write the text itself."""
        return None if value is None else value.get_secret_value()

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> SecretStr | None:
        """Hide what was read."""
        return None if value is None else SecretStr(value)


class AbstractUser(Model):
    """The base of a project's users: the columns that logging in needs.

    ```python
    class User(AbstractUser):
        __tablename__ = "account"
        full_name: Mapped[str] = mapped_column(default="")
    ```

    AUTH.user_model names the class. To log in by a name in place of the e-mail address, say
    `login_field = "username"` and add that column, `Folded` and unique.

    Surprises: `version` is one more after each flush that changes the password, `is_active`,
    `is_superuser` or `scopes`; what was cached of the user is void with the commit, in every
    process within a second. An UPDATE that names the columns itself, past the object, has to add
    `version=User.version + 1` and `await forget_user(db, user.id)`. A list is compared as a whole:
    assign another one to `scopes`, an `append` is not seen.

    Attributes:
        login_field: The name of the column that somebody logs in by.
        email: Kept in small letters, and unique so.
        password_hash: None of somebody who logs in elsewhere; `set_password` makes it.
        is_active: Whether they may log in, and whether what they were given counts.
        is_superuser: Whether they may do everything, without any scope.
        scopes: What they may do.
        version: Counts the changes that make everything void that was given before.
        email_verified_at: When they proved that the address is theirs; another `email` makes it
            None, unless it is set as well.
    """

    __abstract__ = True
    if TYPE_CHECKING:  # a text is what a project writes here; pyright sees Model's function alone
        __tablename__: Any
    # The version comes back with the UPDATE that counts it: no attribute is left unread.
    __mapper_args__ = {  # noqa: RUF012
        "eager_defaults": True
    }
    login_field: ClassVar[str] = "email"

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True
    )
    email: Mapped[str] = mapped_column(Folded(LONGEST_EMAIL), unique=True)
    password_hash: Mapped[SecretStr | None] = mapped_column(HashText(255))
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    is_superuser: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    scopes: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    version: Mapped[int] = mapped_column(default=1, server_default=sa.text("1"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_login_at: Mapped[datetime | None]
    email_verified_at: Mapped[datetime | None]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__mapper__" in cls.__dict__:
            event.listen(cls, "before_update", _count_version)
            event.listen(cls, "before_update", _ask_for_proof)
            event.listen(cls, "before_delete", _forget)
            event.listen(cls.scopes, "set", _refuse_text)
            _keep_folded(cls)

    @property
    def login(self) -> str:
        """What they log in by."""
        login: str = getattr(self, type(self).login_field)
        return login

    @property
    def has_password(self) -> bool:
        """Whether they can log in here."""
        return self.password_hash is not None

    def __repr__(self) -> str:
        # From what is loaded alone, and without anything personal.
        return f"<{type(self).__name__} {sa.inspect(self).dict.get('id', 'unsaved')}>"


def key_type_of(model: type[AbstractUser]) -> type[Any]:
    """Return the type of the keys of a model."""
    return model.__mapper__.columns["id"].type.python_type


def key_in(model: type[AbstractUser], text: str) -> Any:
    """Return the key of a model that a text is, as tokens and links have it; None: it is none."""
    try:
        return key_type_of(model)(text)
    except (TypeError, ValueError):  # of another model, whose keys have another type
        return None


def _keep_folded(model: type[AbstractUser]) -> None:
    """Let the objects of a model have what their rows have, and its table nothing else."""
    for attribute in model.__mapper__.column_attrs:
        column = attribute.columns[0]
        if not isinstance(column.type, Folded):
            continue
        event.listen(getattr(model, attribute.key), "set", _fold, retval=True)
        if isinstance(column, sa.Column) and not column.info.get(_CHECKED):
            column.info[_CHECKED] = True
            # Raw SQL would else make a second user, in capitals.
            is_folded = sa.CheckConstraint(
                column == sa.func.lower(column), name=f"{column.name}_folded"
            )
            column.table.append_constraint(is_folded)


def refuse_text(scopes: object) -> None:
    """Refuse a text in the place of a list: its letters would be taken for scopes.

    Type checkers cannot see it, since a text is a collection of texts.

    Raises:
        AuthError: It is one.
    """
    if isinstance(scopes, str):
        raise AuthError(
            f"scopes is {scopes!r}, a text and no list: its letters would be scopes",
            code="auth.E061",
            hint=f"write scopes={scopes.split()!r}",
        )


def _refuse_text(_user: Any, value: Any, _before: Any, _initiator: Any) -> None:
    refuse_text(value)


def _fold(_user: Any, value: Any, _before: Any, _initiator: Any) -> Any:
    """Let an object have what its row will have."""
    return folded(value) if isinstance(value, str) else value


def _count_version(_mapper: Any, _connection: Any, user: AbstractUser) -> None:
    state = sa.inspect(user)
    if any(state.attrs[name].history.has_changes() for name in WATCHED):
        # By the database: two who read the same number must not write the same one.
        user.version = type(user).version + 1
        note_user(user)


def _ask_for_proof(_mapper: Any, _connection: Any, user: AbstractUser) -> None:
    """Let nobody have proven an address that is another one now."""
    attributes = sa.inspect(user).attrs
    is_told = attributes["email_verified_at"].history.has_changes()
    if attributes["email"].history.has_changes() and not is_told:
        user.email_verified_at = None


def _forget(_mapper: Any, _connection: Any, user: AbstractUser) -> None:
    note_user(user)
