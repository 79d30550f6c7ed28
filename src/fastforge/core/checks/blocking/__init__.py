"""Blocking: calls in asynchronous code that stop the event loop, found by reading the source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ....checks import Message, check

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["async_code_does_not_block"]


@check(tags={"async", "blocking"})
def async_code_does_not_block(project: Project) -> Iterator[Message]:
    """Find calls in `async def` that wait or compute without giving way to others."""
    from ..source import own_modules, package_modules
    from .evaluation import Reader
    from .finding import messages_of
    from .sources import Sources

    modules = [*own_modules(project), *package_modules(project)]
    root = project.settings.root
    yield from messages_of(modules, Reader(Sources(modules, roots=(root, root / "src")).find))
