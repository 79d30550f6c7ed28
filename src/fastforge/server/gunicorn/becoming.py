"""Becoming: this process turns into the manager of several servers."""

from __future__ import annotations

import os
import socket
import sys
from typing import NoReturn

from ...exceptions import CommandError
from .orders import ManagerOrders

__all__ = ["become_manager"]


def become_manager(orders: ManagerOrders, sock: socket.socket) -> NoReturn:
    """Run the manager in place of this program: same process, same socket, nothing imported.

    What this process has imported of the project would go on to every worker, and a restart would
    not take up new code.

    Args:
        orders: What the manager is told.
        sock: The socket that listens.

    Raises:
        CommandError: The system has no processes that share a socket: Windows.
    """
    if sys.platform == "win32":
        raise CommandError(
            f"{orders.plan.number} processes cannot share a port on Windows",
            code="server.E008",
            hint="use --workers 1, and a container for each of them",
        )
    sock.set_inheritable(True)
    sys.stdout.flush()
    sys.stderr.flush()
    warnings = (f"-W{option}" for option in sys.warnoptions)
    argv = [sys.executable, *warnings, "-m", __package__, orders.to_argument()]
    os.execv(sys.executable, argv)
