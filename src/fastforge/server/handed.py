"""Handed over: a socket that systemd keeps open, so that clients wait while a server restarts."""

from __future__ import annotations

import os
import socket
from typing import Final

from ..exceptions import StartError

__all__ = ["handed_over"]

FIRST: Final = 3
"""The number of the first descriptor that is handed over; those before are the standard streams."""
PID, COUNT, NAMES = "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"
"""The variables that say so: to which process, how many, what they are called."""


def handed_over() -> socket.socket | None:
    """Return the socket that systemd has opened for this process, if it has.

    Surprises: it can be asked for once; what this process starts does not hear of it.

    Raises:
        StartError: There are several, or it is none that listens at an address with a port.
    """
    if os.environ.get(PID) != str(os.getpid()):
        return None
    count = os.environ.get(COUNT, "")
    for name in (PID, COUNT, NAMES):
        os.environ.pop(name, None)
    if count != "1":
        raise _unfit(f"{count or 'no'} sockets are handed over")
    try:
        sock = socket.socket(fileno=FIRST)
    except OSError as error:
        raise _unfit(f"descriptor {FIRST} is no socket") from error
    sock.set_inheritable(False)
    if sock.family not in (socket.AF_INET, socket.AF_INET6) or sock.type != socket.SOCK_STREAM:
        raise _unfit("the socket that is handed over has no port of TCP")
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise _unfit("the socket that is handed over does not listen")
    return sock


def _unfit(fault: str) -> StartError:
    return StartError(
        fault,
        code="server.E040",
        hint="write one ListenStream=127.0.0.1:8000 into the .socket unit, and no Accept=yes",
    )
