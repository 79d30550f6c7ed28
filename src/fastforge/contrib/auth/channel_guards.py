"""The guard of channels: who opens a socket is known by the credentials of requests."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Scope

from ...channels import ChannelGuard, Revocations, Unknown
from ...lifecycle import current_container
from .errors import InvalidToken
from .identity.log import Line
from .identity.principal import Identity
from .resources import identities

__all__ = ["IDENTITIES"]

EVERY_S: Final = 0.25


async def _by_request(scope: Scope) -> Identity | None:
    try:
        return await current_container()[identities].of(scope)
    except InvalidToken:
        raise Unknown from None


async def _by_token(token: str) -> Identity | None:
    try:
        return await current_container()[identities].of_token(token)
    except InvalidToken:
        raise Unknown from None


async def _watch(revocations: Revocations) -> None:
    """Hear of every line of the log, as long as somebody is here whom one may be about."""
    log = current_container()[identities].log

    def heard(line: Line) -> None:
        revocations.revoke(user_id=line.user_id, token_id=line.token_id)

    end = log.on_forgotten(heard)
    try:
        while True:
            if revocations.are_wanted:
                await log.confirmed()
            await asyncio.sleep(EVERY_S)
    finally:
        end()


IDENTITIES: Final = ChannelGuard(
    name="identities", by_request=_by_request, by_token=_by_token, watch=_watch
)
