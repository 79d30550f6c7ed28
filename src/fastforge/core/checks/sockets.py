"""SERVER: web sockets that outlive their clients, or take more memory than there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ..settings import MIB, Server

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["web_sockets_are_bounded"]

MOST_MESSAGE_BYTES: Final = 32 * MIB
PROXIES_WAIT_S: Final = 60
"""After how long without a byte most proxies close a web socket."""


@check(tags={"server", "security"}, deploy=True)
def web_sockets_are_bounded(project: Project) -> Iterator[Message]:
    """Tell of sockets that nobody ends when their client is gone, and of those that proxies end."""
    server = project.settings.section(Server)
    where = project.settings.where("SERVER")
    off = [
        name
        for name in ("websocket_ping_s", "websocket_pong_s", "websocket_send_timeout_s")
        if not getattr(server, name)
    ]
    if off:
        yield Message(
            id="server.W024",
            level=Level.WARNING,
            text=f"SERVER.{', '.join(off)} {'is' if len(off) == 1 else 'are'} 0: web sockets whose"
            " client is gone, or reads nothing, stay with what waits for it",
            hint="leave them at 20",
            where=where,
        )
    if server.websocket_max_message_bytes > MOST_MESSAGE_BYTES:
        yield Message(
            id="server.W025",
            level=Level.WARNING,
            text="a message of a web socket may have"
            f" {server.websocket_max_message_bytes // MIB:,} MiB"
            " (SERVER.websocket_max_message_bytes): a few clients fill the memory",
            hint="leave it at 1 MiB, and take files by a request",
            where=where,
        )
    if server.websocket_ping_s >= PROXIES_WAIT_S:
        yield Message(
            id="server.W026",
            level=Level.WARNING,
            text=f"a web socket is silent for {server.websocket_ping_s:g} s"
            f" (SERVER.websocket_ping_s), and a proxy closes one after {PROXIES_WAIT_S} unless"
            " told otherwise: clients come back again and again",
            hint="leave it at 20",
            where=where,
        )
