"""Listening: the socket is taken before anything else starts, and a refusal is one line."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from .._utils import redact
from ..exceptions import CommandError, ForgeError, StartError
from .handed import handed_over

__all__ = ["bind", "holder"]

BACKLOG: Final = 2048
PORTS_TO_TRY: Final = 50
SHOWN_COMMAND_LENGTH: Final = 80

_STATE_LISTEN: Final = "0A"


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Surprises: from here on the port is taken and clients may connect; they wait until the
    application is ready. A socket that systemd hands over is taken in place of one of our own.

    ```python
    sock = bind("127.0.0.1", 8000)
    raise SystemExit(serve("shop.asgi:app", sock))
    ```

    Args:
        host: An address or a name; `0.0.0.0` and `::` mean every interface.
        port: 0 lets the system choose.

    Raises:
        StartError: The port is taken or not permitted, the address is none of this machine's, or
            what systemd hands over is no socket to serve on.
        CommandError: There is no such host or port at all.
    """
    handed = handed_over()
    if handed is not None:
        return handed
    try:
        return _listen(host, port)
    except (OSError, OverflowError) as error:
        raise _refusal(error, host, port) from error


def holder(port: int) -> str | None:
    """Return the command and process id that listens on a port, where the system tells it."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in _processes() if wanted else ():
        with suppress(OSError):  # another user's process, or one that has just ended
            if not wanted.isdisjoint(_open_files(process)):
                return f"{_command(process)} (pid {process.name})"
    return None


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = _resolve(host, port)
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        # With SO_REUSEADDR two sockets may be bound to one port; only one may listen.
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _resolve(host: str, port: int) -> tuple[Any, ...]:
    if not 0 <= port <= 65535:
        raise OverflowError("use a number from 0 to 65535")
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except UnicodeError as error:  # two dots in a row, or more than 63 letters between them
        raise socket.gaierror(socket.EAI_NONAME, "no host has such a name") from error


def _refusal(error: OSError | OverflowError, host: str, port: int) -> ForgeError:
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        by = holder(port)
        free = _next_free(host, port)
        return StartError(
            f"{place} is in use" + (f" by {by}" if by else ""),
            code="server.E001",
            hint=f"use another port, {free} is free" if free else "use another port",
        )
    if number == errno.EACCES:
        return StartError(
            f"{place} may not be used by this user",
            code="server.E002",
            hint="use a port above 1023",
        )
    if isinstance(error, OverflowError):
        return CommandError(f"{port} is no port", code="server.E006", hint=str(error))
    kind = CommandError if isinstance(error, socket.gaierror) else StartError
    return kind(
        f"cannot listen on {place}: {error.strerror}",
        code="server.E003",
        hint="use 127.0.0.1 for this machine alone, 0.0.0.0 for every interface",
    )


def _next_free(host: str, port: int) -> int | None:
    for candidate in range(port + 1, min(port + PORTS_TO_TRY, 65536)):
        try:
            _listen(host, candidate).close()
        except OSError:
            continue
        return candidate
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:  # not Linux
            continue
        for fields in map(str.split, lines):
            local_address, state, inode = fields[1], fields[3], fields[9]
            if state == _STATE_LISTEN and int(local_address.rpartition(":")[2], 16) == port:
                yield inode


def _processes() -> Iterator[Path]:
    # The oldest first: a supervisor and its children hold the same socket.
    yield from sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name))


def _open_files(process: Path) -> Iterator[str]:
    for link in (process / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile, as the one that lists this folder
            yield os.readlink(link)


def _command(process: Path) -> str:
    text = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    text = redact(text.strip()) or "a process"
    return text if len(text) <= SHOWN_COMMAND_LENGTH else f"{text[: SHOWN_COMMAND_LENGTH - 3]}..."
