"""Watching: the log is read in the background while somebody relies on it, and kept short."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import Final, NoReturn

import sqlalchemy as sa

from ...._utils import told
from ...db import session, utcnow
from ..models import Forgotten
from .resolving import Identities

__all__ = ["EVERY_S", "remove_old_lines", "watch"]

logger = logging.getLogger("fastforge.auth")

EVERY_S: Final = 0.5
RESTS_AFTER: Final = 20
"""So many times in a row with nobody who asks, and it is read when somebody does."""
CLEANS_EVERY_S: Final = 3600.0
KEPT: Final = timedelta(days=1)


async def watch(identities: Identities) -> NoReturn:
    """Read the log for as long as it runs."""
    log, idle, cleaned_at = identities.log, RESTS_AFTER, -CLEANS_EVERY_S
    log.is_watched = True
    try:
        while True:
            if idle >= RESTS_AFTER:
                log.wanted.clear()
                await log.wanted.wait()
                idle = 0
            await asyncio.sleep(EVERY_S)
            await log.read()
            identities.near.prune()
            identities.refused.prune()
            idle = 0 if log.asked else idle + 1
            log.asked = False
            if time.monotonic() - cleaned_at > CLEANS_EVERY_S:
                cleaned_at = time.monotonic()
                await _clean()
    finally:
        log.is_watched = False


async def _clean() -> None:
    try:
        await remove_old_lines()
    except Exception as error:  # it can wait
        logger.warning("old lines of the log of revocations are not removed: %s", told(error))


async def remove_old_lines() -> None:
    """Remove lines that are older than a day, but not the newest: it says how far the log goes."""
    newest = sa.select(sa.func.max(Forgotten.id)).scalar_subquery()
    old = (Forgotten.at < utcnow() - KEPT, Forgotten.id < newest)
    async with session() as db:
        if await db.scalar(sa.select(sa.exists().where(*old))):
            async with db.atomic():
                await db.execute(sa.delete(Forgotten).where(*old))
