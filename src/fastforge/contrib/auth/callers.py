"""Whom a credential names, for what counts or tells callers apart."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from ...lifecycle import current_container
from ...web.callers import caller
from .resources import identities

__all__ = ["key", "user"]


@caller
async def user(connection: HTTPConnection) -> str | None:
    """Return the user, with whatever credential; None of somebody who has not said who they are."""
    identity = await current_container()[identities].of(connection.scope)
    if identity is None:
        return None
    # "7" of another issuer is nobody's 7 here.
    return f"here:{identity.id}" if identity.version else f"{identity.kind}:{identity.id}"


@caller
async def key(connection: HTTPConnection) -> str | None:
    """Return the API key, by its name; None of anything else."""
    identity = await current_container()[identities].of(connection.scope)
    return identity.token_id if identity is not None and identity.kind == "api_key" else None
