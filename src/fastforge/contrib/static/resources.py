"""The resource `static_folders`: where a process finds its static files."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ...apps.folders import find_folders
from ...lifecycle import Role, current_container, resource
from .files import StaticFolders
from .settings import Static

__all__ = ["static_folders"]


@resource(roles={Role.WEB})
async def static_folders() -> AsyncIterator[StaticFolders]:
    """Find the folders once, when the process starts."""
    settings = current_container().settings
    config = settings.section(Static)
    yield StaticFolders(
        (folder.path for folder in find_folders(settings, "static", config.directories)),
        max_age_s=config.cache_max_age_in(settings.environment),
    )
