"""Delete the sessions that have expired.

A server does it by the way, now and then; this is for a database that has many of them.
"""

from __future__ import annotations

from typing import Final

from ....commands import Context, command
from ....lifecycle import injected
from ....signing import now_s
from ...db import DbSession
from ..resources import store_here

__all__ = ["clearsessions"]

MOST_AT_ONCE: Final = 5000


@command
async def clearsessions(*, context: Context, db: DbSession = injected) -> None:
    """Delete them, some thousands in each transaction."""
    total = 0
    while True:
        async with db.atomic():
            count = await store_here().delete_expired(db, now=now_s(), most=MOST_AT_ONCE)
        if not count:
            break
        total += count
    context.echo(f"deleted: {total} sessions")
