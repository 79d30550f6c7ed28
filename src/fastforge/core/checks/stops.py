"""SERVER: starts and stops that cost requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ..settings import Server
from .budgets import PRODUCTION

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["processes_are_not_replaced_all_the_time", "starts_wait", "stops_wait"]

FEWEST_REQUESTS: Final = 1000


@check(tags={"server"}, deploy=True)
def stops_wait(project: Project) -> Iterator[Message]:
    """Tell that each restart refuses or cuts off requests."""
    server = project.settings.section(Server)
    where = project.settings.where("SERVER")
    if not server.drain_in(PRODUCTION) and not server.pre_stop_here():
        yield Message(
            id="server.W018",
            level=Level.WARNING,
            text="a stop closes the listener at once (SERVER.drain_s 0, and no pre-stop): until the"
            " load balancer has noticed, each restart refuses requests",
            hint="leave drain_s at 5, or write pre_stop_s where the platform waits",
            where=where,
        )
    if not server.graceful_s:
        yield Message(
            id="server.W019",
            level=Level.WARNING,
            text="SERVER.graceful_s is 0: each restart answers the requests in flight with 503",
            hint="leave it at 25",
            where=where,
        )


@check(tags={"server"}, deploy=True)
def starts_wait(project: Project) -> Iterator[Message]:
    """Tell that a process gives up when a database is there a moment later."""
    if not project.settings.section(Server).start_deadline_in(PRODUCTION):
        yield Message(
            id="server.W020",
            level=Level.WARNING,
            text="SERVER.start_deadline_s is 0: a process that is started before its database ends"
            " with code 3",
            hint="leave it at 30",
            where=project.settings.where("SERVER"),
        )


@check(tags={"server"}, deploy=True)
def processes_are_not_replaced_all_the_time(project: Project) -> Iterator[Message]:
    """Tell of processes that live for a moment."""
    most = project.settings.section(Server).max_requests
    if most is not None and most < FEWEST_REQUESTS:
        yield Message(
            id="server.W021",
            level=Level.WARNING,
            text=f"each process ends after {most:,} requests (SERVER.max_requests): the machine is"
            " busy with starting others",
            hint=f"write {FEWEST_REQUESTS:,} or more: it is for memory that grows over hours",
            where=project.settings.where("SERVER"),
        )
