"""About: what the page knows of a project before it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...conf import Settings
from ...lifecycle import Container

__all__ = ["About", "AppFact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFact:
    """An installed app.

    Args:
        name: The dotted name of its package.
        label: Its short name.
        prefix: What stands before its paths.
    """

    name: str
    label: str
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a project before it runs.

    Args:
        project: Its name.
        version: That of fastforge.
        settings: Its settings.
        apps: Its apps, without the framework's own.
        jobs: Says what becomes of its jobs; an empty text when it has none.
    """

    project: str
    version: str
    settings: Settings
    apps: tuple[AppFact, ...]
    jobs: Callable[[Container], str]
