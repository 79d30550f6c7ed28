"""The scope around every execution outside HTTP: a job, a command, a message."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ...lifecycle import scope
from .sessions.unit import UnitOfWork, new_session, use_unit

__all__ = ["unit_of_work"]


@scope
async def unit_of_work() -> AsyncIterator[None]:
    """Give an execution one session, outside `atomic`; objects left unwritten are an error."""
    async with use_unit(UnitOfWork(new_session)):
        yield
