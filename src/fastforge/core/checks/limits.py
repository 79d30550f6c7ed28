"""SERVER: limits that are off, or so high that they are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ..settings import MIB, Server

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["bodies_are_limited", "headers_are_limited", "slow_clients_are_left"]

MOST_BODY_BYTES: Final = 32 * MIB
MOST_FIELDS: Final = 10_000
MOST_HEADER_BYTES: Final = 128 * 1024
MOST_HEADERS: Final = 500
SLOWEST_HEADERS_S: Final = 60


@check(tags={"server", "security"}, deploy=True)
def bodies_are_limited(project: Project) -> Iterator[Message]:
    """Tell of bodies with which a few requests fill the memory, or a CPU."""
    server = project.settings.section(Server)
    where = project.settings.where("SERVER")
    if server.max_body_bytes > MOST_BODY_BYTES:
        yield Message(
            id="server.W011",
            level=Level.WARNING,
            text=f"every route takes a body of {server.max_body_bytes // MIB:,} MiB"
            " (SERVER.max_body_bytes): a few requests fill the memory",
            hint="leave it at 1 MiB, and write max_body_size at the routes that need more",
            where=where,
        )
    if max(server.max_form_fields, server.max_form_files) > MOST_FIELDS:
        yield Message(
            id="server.W017",
            level=Level.WARNING,
            text="a form may have"
            f" {max(server.max_form_fields, server.max_form_files):,} parts"
            " (SERVER.max_form_fields, max_form_files): reading one holds up the event loop",
            hint=f"write {MOST_FIELDS:,} or fewer",
            where=where,
        )


@check(tags={"server", "security"}, deploy=True)
def headers_are_limited(project: Project) -> Iterator[Message]:
    """Tell of headers that cost everybody."""
    server = project.settings.section(Server)
    many = server.max_headers > MOST_HEADERS
    if many or max(server.max_header_bytes, server.max_url_bytes) > MOST_HEADER_BYTES:
        yield Message(
            id="server.W012",
            level=Level.WARNING,
            text=f"a request may have {server.max_headers:,} headers, {server.max_header_bytes:,}"
            f" bytes of them and a URL of {server.max_url_bytes:,}: they are kept and compared"
            " before anybody is asked who it is",
            hint=f"write at most {MOST_HEADERS} max_headers, and {MOST_HEADER_BYTES:,} for"
            " max_header_bytes and max_url_bytes",
            where=project.settings.where("SERVER"),
        )


@check(tags={"server", "security"}, deploy=True)
def slow_clients_are_left(project: Project) -> Iterator[Message]:
    """Tell of clients that may hold a connection for ever, for the price of a byte a second."""
    server = project.settings.section(Server)
    where = project.settings.where("SERVER")
    if not 0 < server.header_timeout_s <= SLOWEST_HEADERS_S:
        yield Message(
            id="server.W013",
            level=Level.WARNING,
            text=f"SERVER.header_timeout_s is {server.header_timeout_s:g}: clients that send"
            " their headers slowly, or never, hold connections until there are none",
            hint="leave it at 5",
            where=where,
        )
    if not server.body_timeout_s or not server.min_body_bytes_per_s:
        yield Message(
            id="server.W014",
            level=Level.WARNING,
            text="a body may come however slowly (SERVER.body_timeout_s"
            f" {server.body_timeout_s:g}, min_body_bytes_per_s {server.min_body_bytes_per_s})",
            hint="leave them at 10 and 500",
            where=where,
        )
    yield from _without_an_end(project)


def _without_an_end(project: Project) -> Iterator[Message]:
    server = project.settings.section(Server)
    where = project.settings.where("SERVER")
    if not server.write_timeout_s:
        yield Message(
            id="server.W015",
            level=Level.WARNING,
            text="SERVER.write_timeout_s is 0: a client that reads nothing keeps its answer in"
            " memory for ever",
            hint="leave it at 60",
            where=where,
        )
    if not server.keep_alive_s:
        yield Message(
            id="server.W016",
            level=Level.WARNING,
            text="SERVER.keep_alive_s is 0: idle connections are never closed, those of clients"
            " that are gone among them",
            hint="leave it at 75",
            where=where,
        )
