"""Paths: a socket that has a path in place of a port, for a proxy on the same host."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..exceptions import StartError
from .listening import BACKLOG

__all__ = ["bind_path", "remove_path"]

MODE: Final = 0o666
"""Whoever may look into the folder may connect: a proxy is another user most often."""
ASKED_WITHIN_S: Final = 1


def bind_path(path: Path) -> socket.socket:
    """Return a socket that listens at a path.

    Surprises: a socket that nobody listens on any more, which a killed server has left, is
    replaced. From here on clients may connect; they wait until the application is ready.

    ```python
    sock = bind_path(Path("/run/shop/web.sock"))
    ```

    Args:
        path: Where; its folder has to exist.

    Raises:
        StartError: Something else is there, or the path cannot be written.
    """
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(str(path))
        path.chmod(MODE)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise StartError(
            f"cannot listen on unix:{path}: {error.strerror or error}",
            code="server.E009",
            hint="name a file in a folder that this user may write, of at most a hundred letters",
        ) from error
    return sock


def remove_path(path: Path, inode: int) -> None:
    """Remove a socket, unless another server has put one of its own there.

    Args:
        path: Where it is.
        inode: The number of the file that was ours.
    """
    with suppress(OSError):
        if path.stat().st_ino == inode:
            path.unlink()


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:  # the usual case: nothing is there
        return
    if not stat.S_ISSOCK(mode):
        raise StartError(
            f"unix:{path} is no socket, but something else that is there already",
            code="server.E010",
            hint="remove it, or use another path",
        )
    if _is_listened_on(path):
        raise StartError(f"unix:{path} is in use", code="server.E011", hint="use another path")
    with suppress(OSError):
        os.unlink(path)


def _is_listened_on(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(ASKED_WITHIN_S)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:  # nobody accepts at the moment, or we may not ask
            return True
    return True
