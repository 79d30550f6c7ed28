"""A user's browser session as the type checkers see it; it is read by mypy and pyright, never run.

An ignored line is a mistake that has to be found: an ignore that ignores nothing is an error too.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import datetime
from typing import assert_type

from fastapi import APIRouter

from fastforge.contrib.auth import AbstractUser, CurrentIdentity
from fastforge.contrib.db import DbSession
from fastforge.contrib.sessions import (
    Session,
    csrf_exempt,
    csrf_input,
    csrf_token,
    end_sessions,
    log_in,
    log_out,
)

router = APIRouter()


class User(AbstractUser):
    __tablename__ = "typed_session_user"


@router.post("/cart/{product_id}")
@csrf_exempt
async def add(product_id: int, session: Session) -> list[int]:
    cart = await session.get("cart", type=list[int], default=list[int]())
    session.set("cart", [*cart, product_id])
    return assert_type(cart, list[int])


async def values(session: Session) -> None:
    assert_type(await session.get("since", type=datetime), datetime | None)
    assert_type(await session.pop("since", type=datetime, default=0), datetime | int)
    assert_type(await session.keys(), frozenset[str])
    session.set("since", 1, ttl_s=5)  # type: ignore[call-arg]
    session.get("since") + 1  # type: ignore[operator]


async def logins(session: Session, user: User, db: DbSession, me: CurrentIdentity) -> None:
    await log_in(session, user)
    await log_out(session)
    await log_in(session, me)  # type: ignore[arg-type]
    assert_type(await end_sessions(db, me.id), int)
    assert_type(csrf_token(), str)
    assert_type(csrf_input(), str)
