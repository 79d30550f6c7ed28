"""Tokens, as type checkers see a user's code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, assert_type

from fastapi import APIRouter

from fastforge.contrib.auth import (
    AbstractUser,
    CurrentIdentity,
    NewApiKey,
    TokenPair,
    create_api_key,
    issue,
    refresh,
    revoke,
    revoke_api_key,
    revoke_everybody,
    revoke_user,
)
from fastforge.contrib.auth.external import Introspection, OidcIssuer
from fastforge.contrib.db import DbSession

router = APIRouter()


async def staff(claims: Mapping[str, Any]) -> AbstractUser | None:
    return None


STAFF = OidcIssuer(name="staff", issuer="https://id.example.org", audience=["shop"], identify=staff)
PARTNERS = Introspection(
    name="partners", url="https://id.example.org/i", client_id="shop", client_secret="s"
)


async def given(user: AbstractUser, db: DbSession) -> None:
    pair = await issue(db, user, scopes=["orders:read"])
    assert_type(pair, TokenPair)
    assert_type(await refresh(db, pair.refresh_token), TokenPair)
    assert_type(pair.scopes, frozenset[str])
    made = await create_api_key(db, user, "ci", scopes={"a"}, expires_at=datetime.now(UTC))
    assert_type(made, NewApiKey)
    assert_type(await revoke_api_key(db, made.id, of=user.id), bool)


@router.post("/logout")
async def logout(me: CurrentIdentity, db: DbSession) -> None:
    assert_type(await revoke(db, token_id=me.token_id), bool)
    assert_type(await revoke(db, "text"), bool)
    assert_type(await revoke_user(db, me.id, api_keys=True), int)
    assert_type(await revoke_everybody(db), int)
