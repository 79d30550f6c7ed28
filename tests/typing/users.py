"""Users, as the type checkers see them in a project; read by mypy and pyright, never run."""

from __future__ import annotations

from typing import Annotated, assert_type

from fastapi import APIRouter, HTTPException
from sqlalchemy.orm import Mapped, mapped_column
from starlette.requests import HTTPConnection

from fastforge.contrib.auth import (
    About,
    AbstractUser,
    Auth,
    CredentialSource,
    CurrentIdentity,
    CurrentUser,
    Folded,
    Identity,
    InvalidToken,
    LoginRule,
    OptionalIdentity,
    OptionalUser,
    PasswordListener,
    PasswordRule,
    TokenVerifier,
    authenticate,
    change_password,
    create_user,
    credential_source,
    email_verification_token,
    find_user,
    forget_everybody,
    forget_token,
    forget_user,
    identity_here,
    login_rule,
    password_listener,
    password_reset_token,
    password_rule,
    requires,
    reset_password,
    set_password,
    verify_email,
)
from fastforge.contrib.auth.api.mail import (
    AccountMail,
    Accounts,
    Occasion,
    account_mail,
    ask_for_password_reset,
)
from fastforge.contrib.auth.api.registration import finish_registration
from fastforge.contrib.db import DbSession, non_atomic
from fastforge.contrib.mail import Message

AUTH = Auth(user_model="shop.accounts.models.Account", password_min_length=10)

ACCOUNTS = Accounts(reset_url="https://shop.example/reset#{token}")

router = APIRouter()


class Account(AbstractUser):
    __tablename__ = "account"
    login_field = "username"
    username: Mapped[str] = mapped_column(Folded(150), unique=True)


@password_rule
def password_names_us(password: str, about: About) -> str | None:
    return "it names the shop" if "shop" in password else None


assert_type(password_names_us, PasswordRule)


@login_rule
def has_a_name(user: AbstractUser) -> bool:
    return bool(user.login)


assert_type(has_a_name, LoginRule)


@password_listener
async def tell(user: AbstractUser) -> None:
    assert_type(user.email, str)


assert_type(tell, PasswordListener)


@account_mail("password_reset")
def reset_mail(occasion: Occasion) -> Message:
    return Message(to=occasion.email, subject="Reset", text=occasion.link)


assert_type(reset_mail, AccountMail)


@router.post("/login")
@non_atomic
async def login(name: str, password: str, db: DbSession) -> int:
    user = await authenticate(db, name, password)
    if user is None:
        raise HTTPException(401)
    assert_type(user, AbstractUser)
    await set_password(user, password)
    assert_type(user.scopes, list[str])
    return user.id


async def register(db: DbSession) -> int:
    user = await create_user(db, "ann", "plum-kettle-9", email="ann@example.org", scopes=["a"])
    return user.version


async def typed(db: DbSession) -> None:
    made = await create_user(db, "ann", model=Account, email="ann@example.org")
    assert_type(made, Account)
    assert_type(await find_user(db, "ann", model=Account), Account | None)
    assert_type(await authenticate(db, "ann", "plum", model=Account), Account | None)
    assert_type(await find_user(db, "ann"), AbstractUser | None)


async def by_mail(db: DbSession, user: Account) -> None:
    await change_password(db, user, current="plum", new="kettle")
    assert_type(password_reset_token(user), str)
    assert_type(email_verification_token(user), str)
    assert_type(await reset_password(db, "token", "plum", model=Account), Account)
    assert_type(await verify_email(db, "token", model=Account), Account)
    assert_type(await verify_email(db, "token"), AbstractUser)
    made = await finish_registration(db, "token", "plum", model=Account, username="ann")
    assert_type(made, Account)
    await ask_for_password_reset("ann@example.org")


@router.get("/me")
async def me(
    me: CurrentIdentity,
    reader: Annotated[Identity, requires("orders:read")],
    maybe: OptionalIdentity,
    user: CurrentUser[Account],
    perhaps: OptionalUser[Account],
    anybody: CurrentUser,
) -> str:
    assert_type(me, Identity)
    assert_type(reader.has("orders:write"), bool)
    assert_type(maybe, Identity | None)
    assert_type(user, Account)
    assert_type(perhaps, Account | None)
    assert_type(anybody, AbstractUser)
    return me.token_id


class Partner(TokenVerifier):
    name = "partner"

    def accepts(self, token: str) -> bool:
        return token.startswith("partner_")

    async def verify(self, token: str) -> Identity:
        raise InvalidToken("no partner has it")


@credential_source(order=50)
def partner_header(connection: HTTPConnection) -> str | None:
    return connection.headers.get("x-partner-token")


assert_type(partner_header, CredentialSource)


async def forget(db: DbSession) -> None:
    await forget_user(db, 7)
    await forget_token(db, "t")
    await forget_everybody(db)
    assert_type(await identity_here(), Identity | None)
