"""Refreshing: sources that have to wait for an answer are asked now and then, on the event loop."""

from __future__ import annotations

import asyncio
from typing import Any

from .snapshots import remember, sources_of, tell_failure
from .source import MetricSource

__all__ = ["refresh"]


async def refresh(container: Any) -> None:
    """Ask the async sources of a project, each in its own time, until cancelled."""
    async with asyncio.TaskGroup() as group:
        for source in sources_of(container):
            if source.every_s:
                group.create_task(_refresh(container, source))


async def _refresh(container: Any, source: MetricSource) -> None:
    while True:
        try:
            remember(container, source, tuple(await source.function(container)))
        except Exception as error:
            remember(container, source, ())  # an old number would look like a true one
            tell_failure(container, source, error)
        await asyncio.sleep(source.every_s)
