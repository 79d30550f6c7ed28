"""Users, as the type checkers see them in a project; read by mypy and pyright, never run."""

from __future__ import annotations

from typing import assert_type

from fastapi import APIRouter, HTTPException
from sqlalchemy.orm import Mapped, mapped_column

from fastforge.contrib.auth import (
    About,
    AbstractUser,
    Auth,
    Folded,
    LoginRule,
    PasswordRule,
    authenticate,
    create_user,
    find_user,
    login_rule,
    password_rule,
    set_password,
)
from fastforge.contrib.db import DbSession, non_atomic

AUTH = Auth(user_model="shop.accounts.models.Account", password_min_length=10)

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
