"""Clean: a context of its own for a request that begins inside of another one's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

__all__ = ["in_clean_context"]


async def in_clean_context(work: Coroutine[Any, Any, None]) -> None:
    """Run something where nothing is bound but the span that is current.

    Servers begin a request that waits in the line of a connection, and on asyncio's own event loop
    sometimes the next one after a large body, in the context of the one before: whatever that has
    bound would be there, its user as well. It is seen by the id that is set, so that only these
    requests pay for a task of their own.

    Args:
        work: What runs.
    """
    context = Context()
    tracing = sys.modules.get("opentelemetry.context")
    if tracing is not None:  # the span that FastAPI has begun for this request stands around it
        context.run(tracing.attach, tracing.get_current())
    await asyncio.get_running_loop().create_task(work, context=context)
