"""A user's rate limits as the type checkers see them; it is read by mypy and pyright, never run.

An ignored line is a mistake that has to be found: an ignore that ignores nothing is an error too.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import assert_type

from fastapi import APIRouter
from starlette.requests import HTTPConnection

from fastforge.contrib.ratelimit import RateLimit, rate_limit
from fastforge.web import Caller, caller

RATE_LIMIT = RateLimit(default="300/minute", default_by="user", exempt_paths=["/static"])
RATE_LIMIT = RateLimit(default=300)  # type: ignore[arg-type]


@caller
async def tenant(connection: HTTPConnection) -> str | None:
    return connection.headers.get("x-tenant")


assert_type(tenant, Caller)


def by_word(connection: HTTPConnection) -> str | None:
    return connection.query_params.get("word")


async def by_row(connection: HTTPConnection) -> str:
    return str(connection.path_params["row"])


def by_number(connection: HTTPConnection) -> int:
    return 1


router = APIRouter(dependencies=[rate_limit("10/minute; 100/day", by="tenant", name="orders")])


@router.get("/words", dependencies=[rate_limit("10/minute", by=by_word, when_away="pass")])
async def words() -> str:
    return "words"


@router.get("/rows", dependencies=[rate_limit("10/minute", by=by_row)])
async def rows() -> str:
    return "rows"


rate_limit("10/minute", by=by_number)  # type: ignore[arg-type]
rate_limit("10/minute", when_away="refuse")  # type: ignore[arg-type]
