"""The resource `file_channels`: what carries messages by the project's SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from ....channels.carrying.broker import backend_name
from ....lifecycle import current_container, provide, resource
from ..engine import url_of
from ..resources import DatabaseConnection, database
from .broker import FileBroker
from .file import File
from .fitness import NAME, refusal

__all__ = ["file_channels"]


@resource
async def file_channels(
    database: Annotated[DatabaseConnection, provide(database)],
) -> AsyncIterator[FileBroker | None]:
    """Give what carries messages of channels; None where the database is no file.

    Nothing is opened before somebody publishes or joins something.

    Raises:
        StartError: CHANNELS.backend says `sqlite`, and the database is none.
    """
    container = current_container()
    settings = container.settings
    problem = refusal(settings)
    if problem is not None:
        if backend_name(container) == NAME and container.registry.values("channels"):
            raise problem
        yield None
        return
    path = url_of(database.config, settings.root).database
    broker = FileBroker(File(Path(path or "")))
    try:
        yield broker
    finally:
        await broker.close()
