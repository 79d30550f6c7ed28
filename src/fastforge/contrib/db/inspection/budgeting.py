"""Budgeting: what a check, and a process that starts, say of a budget that is not kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from ....checks import Level, Message
from ....components import Registry
from ....conf import Settings
from ....exceptions import CommandError
from ....lifecycle import Container, Role
from ....tasks.kinds import TASKS
from ....tasks.settings import Tasks
from ....tasks.working import has_work
from ..extra_pools import ExtraPool
from ..kinds import EXTRA_POOLS
from ..settings import Database
from .budget import Budget, Processes, budgets
from .server import ServerFacts, ask_server

if TYPE_CHECKING:
    from ....project import Project
    from ..opening import DatabaseConnection
    from .inspecting import Inspected

__all__ = ["budget_problems", "warn_of_budget"]

logger = logging.getLogger("fastforge.contrib.db")

REMEDY = "lower pool_size, run fewer processes, put a pooler in between, or raise the limit"


def budget_problems(project: Project, databases: tuple[Inspected, ...]) -> Iterator[Message]:
    """Yield each budget: kept, not kept, or not kept while a deployment replaces another."""
    facts = {each.name: each.server for each in databases if each.server is not None}
    for budget in _budgets(project.settings, project.registry, facts):
        if not budget.fits():
            yield Message(
                id="db.E071",
                level=Level.ERROR,
                text=f"too many connections: {budget}",
                hint=REMEDY,
            )
        elif not budget.fits(times=2):
            yield Message(
                id="db.W010",
                level=Level.WARNING,
                text="too many connections while one deployment replaces another,"
                f" {2 * budget.wanted} for the processes of both: {budget}",
                hint=REMEDY,
            )
        else:
            yield Message(id="db.I012", level=Level.INFO, text=f"the connections suffice: {budget}")


async def warn_of_budget(
    container: Container, connections: Mapping[str, DatabaseConnection]
) -> None:
    """Write one line for each budget that is not kept, when a server or worker starts.

    Args:
        container: The container that is being opened.
        connections: The databases by name, open.
    """
    if container.role not in (Role.WEB, Role.WORKER):
        return
    project = container.settings.module.partition(".")[0]
    facts: dict[str, ServerFacts] = {}
    for name, connection in connections.items():
        # One that has not answered a moment ago has no connection, and is not waited for again.
        if not connection.config.is_sqlite and connection.engines.pool.checkedin():
            try:
                facts[name] = await ask_server(connection.engines, project=project)
            except Exception as error:  # what only resembles PostgreSQL may answer anything
                # That it starts matters more than what it would have told.
                logger.debug("the limits of %s are not known", name, exc_info=error)
    with suppress(CommandError):  # WEB_CONCURRENCY is no number: for whoever starts several
        for budget in _budgets(container.settings, container.registry, facts):
            if not budget.fits():
                logger.warning("too many connections: %s; %s", budget, REMEDY)


def _budgets(
    settings: Settings, registry: Registry, facts: Mapping[str, ServerFacts]
) -> Iterator[Budget]:
    configs: Mapping[str, Database] = settings["DATABASES"]
    # Jobs in memory are run by the servers themselves.
    has_workers = has_work(registry, settings) and settings.section(Tasks).backend != "memory"
    isolates = any(task.isolate for task in registry.values(TASKS))
    processes = Processes.of(settings, has_work=has_workers, isolates=isolates)
    extra: tuple[ExtraPool, ...] = registry.values(EXTRA_POOLS)
    return budgets(configs, facts, processes, extra=extra, environment=settings.environment)
