"""Child: the process of a reloading server that serves; `python -m fastforge.server.child`."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from typing import Final

from .serve import serve

__all__ = ["main"]

ORPHAN_LIMIT_S: Final = 10


def main(arguments: list[str]) -> int:
    """Serve on an inherited socket until SIGTERM, or until the supervisor is gone.

    Args:
        arguments: The application's dotted path, the numbers of the socket and of the pipe's
            reading end, the folder to import from, and the graceful limit in seconds.
    """
    application, socket_number, pipe_number, root, graceful_s = arguments
    # Ctrl-C reaches the whole process group. The supervisor decides what it means for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_leave_with, args=(int(pipe_number),), daemon=True).start()
    if root not in sys.path:
        sys.path.insert(0, root)
    return serve(
        application, socket.socket(fileno=int(socket_number)), graceful_s=float(graceful_s)
    )


def _leave_with(pipe_number: int) -> None:
    """End this process when the pipe's other end is closed: its holder is dead, even by SIGKILL."""
    os.read(pipe_number, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_LIMIT_S)
    os._exit(1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
