"""Kept: connections that serve one test after the other, each in a transaction of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ....conf import Settings
from ....lifecycle import Resource, Role, current_container
from ....test.loops import Loop
from ..resources import DEFAULT, DatabaseConnection, database, databases, open_of
from ..settings import Database
from .errors import other_loop, worker_inside
from .homes import Homes
from .sessions import SessionInTest
from .transactions import OneTransaction

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["KeptConnections"]


@dataclass(slots=True)
class _Kept:
    """One connection, its transaction, and of which making of the database it is."""

    connection: DatabaseConnection
    transaction: OneTransaction
    making: int


class KeptConnections:
    """The connections of one event loop on which tests run.

    Args:
        homes: Where the databases of the tests are.
        loop: The loop; at its end they are closed.
    """

    def __init__(self, homes: Homes, loop: Loop) -> None:
        self._homes = homes
        self._kept: dict[tuple[str, str, bool], _Kept] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last: tuple[Project, Project] | None = None
        self.loop = loop
        loop.at_end(self._close)

    @property
    def are_used(self) -> bool:
        """Whether a transaction has begun that has to end."""
        return any(kept.transaction.has_begun for kept in self._kept.values())

    async def end(self) -> None:
        """End the transactions of a test."""
        for kept in self._kept.values():
            await kept.transaction.end()

    async def begin(self) -> None:
        """Note the event loop, from inside of it."""
        self._loop = asyncio.get_running_loop()

    async def _close(self) -> None:
        for kept in self._kept.values():
            await kept.connection.engine.dispose()
        self._kept.clear()

    def used_by(self, project: Project) -> Project:
        """Return the project with these in the place of its databases."""
        if self._last is None or self._last[0] is not project:  # mostly it is the session's
            changed = self._homes.databases(project.settings["DATABASES"])
            other = project.overriding(settings={"DATABASES": changed}, resources=self._resources())
            self._last = (project, other)
        return self._last[1]

    def _resources(self) -> Mapping[Resource[Any], object]:
        async def default() -> AsyncIterator[DatabaseConnection]:
            async with self._opened(DEFAULT) as connection:
                yield connection

        async def each() -> AsyncIterator[Mapping[str, DatabaseConnection]]:
            names: Mapping[str, Database] = current_container().settings["DATABASES"]
            async with AsyncExitStack() as stack:
                opened = {
                    name: await stack.enter_async_context(self._opened(name)) for name in names
                }
                yield MappingProxyType(opened)

        return {database: default, databases: each}

    @asynccontextmanager
    async def _opened(self, name: str) -> AsyncIterator[DatabaseConnection]:
        settings = current_container().settings
        config: Database = settings["DATABASES"][name]
        if not self._homes.has(name, config):  # the test has named another
            connection = await open_of(settings, config, name=name)
            try:
                yield connection
            finally:
                await connection.engine.dispose()
            return
        if current_container().role is Role.WORKER:
            raise worker_inside()
        if asyncio.get_running_loop() is not self._loop:
            raise other_loop(name)
        kept = await self._connection(self._homes.owner(name), settings)
        engines = kept.connection.engines
        if config.read_only:
            engines = replace(engines, write=engines.transactions(read_only=True))
        yield replace(
            kept.connection,
            name=name,
            config=config,
            engines=engines,
            session_class=SessionInTest,
        )

    async def _connection(self, name: str, settings: Settings) -> _Kept:
        config: Database = settings["DATABASES"][name]
        key = (name, config.model_dump_json(), bool(settings["DEBUG"]))
        kept = self._kept.get(key)
        if kept is not None and kept.making == self._homes.making(name):
            return kept
        if kept is not None:  # the database was made anew since
            await kept.connection.engine.dispose()
        connection = await open_of(settings, _alone(config), name=name)
        await connection.engine.dispose()  # what it has connected does not know of the transaction
        transaction = OneTransaction(
            connection.engine, checks_deferred=self._homes.checks_deferred(name)
        )
        made = _Kept(connection, transaction, self._homes.making(name))
        self._kept[key] = made
        return made


def _alone(config: Database) -> Database:
    """Return the section for the one connection, which is in its transaction for a whole test."""
    return config.model_copy(
        update={
            "pool_size": 1,
            "max_overflow": 0,
            "pool_recycle_s": 0,
            "idle_in_transaction_timeout_s": 0,
            "required": True,
        }
    )
