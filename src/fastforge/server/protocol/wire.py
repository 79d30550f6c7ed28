"""Wire: what the system knows of a connection, and what it is told about one."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from asyncio import Transport
from contextlib import suppress
from typing import Final

__all__ = ["cut", "give_up_after", "limit_send_buffer", "untaken_bytes"]

NO_LINGER: Final = struct.pack("ii", 1, 0)


def untaken_bytes(transport: Transport) -> int:
    """Return how much of what was written the client's system has not taken yet.

    What the kernel keeps counts: it asks for more when a third of its buffer is free, which for a
    slow reader of a large buffer may take minutes.
    """
    waiting = transport.get_write_buffer_size()
    sock = transport.get_extra_info("socket")
    if sock is None:
        return waiting
    # Where the system does not tell, or the socket has been closed meanwhile, ours has to do.
    with suppress(OSError, ValueError):
        answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
        waiting += struct.unpack("i", answer)[0]
    return waiting


def limit_send_buffer(transport: Transport, size_bytes: int) -> None:
    """Bound what the kernel keeps for a client, whose own idea of it grows to some million bytes.

    Args:
        transport: The connection, on which nothing waits yet.
        size_bytes: How much; the kernel takes twice as much, for its own part of it.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError, ValueError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size_bytes)


def cut(transport: Transport) -> None:
    """End a connection whose client takes nothing, and forget what waits for it.

    A plain end leaves what is in the kernel to it, which goes on trying for minutes.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError, ValueError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    transport.abort()


def give_up_after(listener: socket.socket, seconds: float) -> None:
    """Let the system end connections whose client takes nothing for so long.

    It is for servers that cannot do it themselves; Linux alone can.

    Args:
        listener: A socket that listens; what it accepts from now on has the limit too.
        seconds: How long, to the millisecond.
    """
    option: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        with suppress(OSError):  # it is none of TCP
            listener.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))
