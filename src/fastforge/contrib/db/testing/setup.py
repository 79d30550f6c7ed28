"""Set-up: what tests have in the place of DATABASES, made once a session, and for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

from anyio.from_thread import BlockingPortal, start_blocking_portal

from ....test.case import Case, current_case
from ....test.loops import Loop
from ....test.setups import ForEachTest, setup_for_tests
from ..resources import default_database
from ..settings import Database
from .copies import copied_home
from .files import file_home
from .homes import Home, Homes, mirrors_in
from .kept import KeptConnections

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["database_of_its_own"]


@setup_for_tests
def database_of_its_own(project: Project, worker: str) -> Iterator[ForEachTest]:
    """Give each test a database as the project's migrations make it.

    No database of the settings is opened. An async test is one transaction, which is rolled back;
    one that others look into commits, and is cleaned up behind.
    """
    default_database(project.settings)
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        homes = _homes(stack, portal, project, worker)
        kept: dict[Loop, KeptConnections] = {}

        @contextmanager
        def for_each_test(project: Project) -> Iterator[Project]:
            case = current_case()
            if case is None or case.commits or case.loop is None:
                with homes.committing(project.settings["DATABASES"]) as changed:
                    yield project.overriding(settings={"DATABASES": changed})
                return
            with _kept_by(case.loop, homes, kept) as connections:
                yield connections.used_by(project)

        yield for_each_test


@contextmanager
def _kept_by(
    loop: Loop, homes: Homes, kept: dict[Loop, KeptConnections]
) -> Iterator[KeptConnections]:
    if loop not in kept:
        kept[loop] = KeptConnections(homes, loop)
        loop.run(kept[loop].begin)

        async def forget() -> None:
            del kept[loop]

        loop.at_end(forget)  # and not before: two plugins may each keep one, and take turns
    try:
        yield kept[loop]
    finally:
        if kept[loop].are_used:
            loop.run(kept[loop].end)


def _homes(stack: ExitStack, portal: BlockingPortal, project: Project, worker: str) -> Homes:
    configs: dict[str, Database] = project.settings["DATABASES"]
    mirrors = mirrors_in(configs)
    case = current_case() or Case(name="")
    homes: dict[str, Home] = {}
    for name, config in configs.items():
        if name in mirrors:
            continue
        home: AbstractContextManager[Home] = (
            file_home(portal, project, name, cache=case.cache, anew=bool(case.anew))
            if config.is_sqlite
            else copied_home(portal, project, name, worker=worker, anew=case.anew)
        )
        homes[name] = stack.enter_context(home)
    return Homes(homes, mirrors)
