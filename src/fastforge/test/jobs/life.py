"""Life: a project that runs beside a test, from the first time that it is needed."""

from __future__ import annotations

import asyncio

from ...lifecycle import Container, Role
from ...project import Project

__all__ = ["Life"]


class Life:
    """Opens a project as a command does; it is closed in the task that has opened it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._task: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[Container] | None = None
        self._end = asyncio.Event()

    async def container(self) -> Container:
        """Return the running project.

        Raises:
            Exception: What its start raised, each time.
        """
        if self._opened is None:
            self._opened = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._run(self._opened), name="beside a test")
        return await asyncio.shield(self._opened)

    async def close(self) -> None:
        """Close it, if it was opened."""
        self._end.set()
        if self._task is not None:
            await self._task

    async def _run(self, opened: asyncio.Future[Container]) -> None:
        try:
            async with self._project.running(Role.COMMAND) as container:
                opened.set_result(container)
                await self._end.wait()
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)
