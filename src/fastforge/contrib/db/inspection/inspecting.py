"""Inspecting: what every database of a project says of itself, asked once in a run of checks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sqlalchemy import exc

from ....checks.runner import once_a_run
from ....exceptions import ForgeError
from ..engine import Engines, url_of
from ..faults.unavailable import unavailable
from ..migrations import ledger
from ..migrations.known import Difference, known_migrations
from ..opening import open_of
from ..settings import Database
from .file import FileFacts, ask_file
from .server import ServerFacts, ask_server
from .vitals import Vitals, ask_vitals

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["Inspected", "inspect_database", "inspect_databases"]

ALONE: Final = MappingProxyType(
    {"pool_size": 1, "max_overflow": 0, "required": True, "slow_query_ms": 0}
)
"""What is different for whoever only looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """One of DATABASES, and what it says.

    Attributes:
        name: Its name.
        config: Its section.
        server: What a server says; None for a file, and for one that does not answer.
        file: What a SQLite file says; None for a server, and for one that is not there.
        path: Where the file is, or would be.
        difference: How its migrations differ from those of the code; None where nobody asked.
        failure: Why it does not answer.
        vitals: How quick it is, and its clock; None where nobody asked.
    """

    name: str
    config: Database
    server: ServerFacts | None = None
    file: FileFacts | None = None
    path: Path | None = None
    difference: Difference | None = None
    failure: ForgeError | None = None
    vitals: Vitals | None = None


async def inspect_databases(project: Project) -> tuple[Inspected, ...]:
    """Return what the databases of a project say; each is opened once in a run of checks."""
    known = _known(project)
    configs: Mapping[str, Database] = project.settings["DATABASES"]
    if not known:  # side by side: who does not answer takes its time
        found = await asyncio.gather(
            *(inspect_database(project, name, config) for name, config in configs.items())
        )
        known.update(zip(configs, found, strict=True))
    return tuple(known.values())


@once_a_run
def _known(_project: Project) -> dict[str, Inspected]:
    return {}


async def inspect_database(
    project: Project,
    name: str,
    config: Database,
    *,
    now: Callable[[], float] | None = None,
    connect_timeout_s: float | None = None,
) -> Inspected:
    """Open one of DATABASES, return what it says, and close it.

    Args:
        project: The project.
        name: The name of the database.
        config: Its section.
        now: The clock to compare its own with; without one neither that nor its speed is asked.
        connect_timeout_s: How long making a connection may take, in seconds; the section says it
            unless given.
    """
    path = _path(project, config)
    if path is not None and not path.exists():  # to connect would make it
        return Inspected(name=name, config=config, path=path)
    limit_s = config.connect_timeout_s if connect_timeout_s is None else connect_timeout_s
    alone = config.model_copy(update={**ALONE, "connect_timeout_s": limit_s})
    try:
        opened = await open_of(project.settings, alone, name=name)
    except ForgeError as error:
        return Inspected(name=name, config=config, path=path, failure=error)
    try:
        found = await _asked(project, name, config, path, opened.engines)
        return replace(found, vitals=await ask_vitals(opened.engines, now)) if now else found
    except (exc.SQLAlchemyError, OSError, TimeoutError) as error:
        failure = unavailable(config, error)
        return Inspected(name=name, config=config, path=path, failure=failure)
    finally:
        await opened.engine.dispose()


async def _asked(
    project: Project, name: str, config: Database, path: Path | None, engines: Engines
) -> Inspected:
    difference = None
    if config.ready_when_migrated and not config.read_only:
        applied = await ledger.read(engines)
        difference = known_migrations(project.settings).compared_with(applied)
    return Inspected(
        name=name,
        config=config,
        server=None if path else await ask_server(engines, project=project.name),
        file=await ask_file(engines) if path else None,
        path=path,
        difference=difference,
    )


def _path(project: Project, config: Database) -> Path | None:
    if not config.is_sqlite:
        return None
    return Path(str(url_of(config, project.settings.root).database)).resolve()
