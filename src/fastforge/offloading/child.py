"""Child: the process that runs offloaded functions one after the other, and how to speak to it.

It imports little: each process has to start with it.
"""

from __future__ import annotations

import contextvars
import os
import pickle
import queue
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ..ending import end_now

if TYPE_CHECKING:
    from .errors import OffloadError

__all__ = ["main", "receive", "send", "unsendable"]

SIZE_BYTES: Final = 8
END_LIMIT_S: Final = 0.5
"""How long a process without a parent may still take to end by itself."""

LINES: Final = 3
"""The argument that says how lines look, where there are any."""

_Requests = queue.SimpleQueue["bytearray | None"]


def main() -> None:
    """Run what arrives on the socket that the parent gave, until the parent closes it."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    if len(sys.argv) > LINES:
        from ..observability.logging.configuration import Configuration
        from ..observability.logging.process import enter_logging

        enter_logging(Configuration.from_json(sys.argv[LINES]))
    # In a fork of this process it would stay open, and the parent wait for an answer from it.
    os.register_at_fork(after_in_child=connection.close)
    requests: _Requests = queue.SimpleQueue()
    # A function cannot hear that the parent is gone; a thread beside it can.
    threading.Thread(target=_read, args=(connection, requests), daemon=True).start()
    with suppress(OSError):  # the parent is gone
        while (request := requests.get()) is not None:
            # Each in a context of its own: what one function sets, the next one does not see.
            send(connection, contextvars.Context().run(_answer, request))


def send(connection: socket.socket, content: bytes) -> None:
    """Send something of any size to the other side, which receives it as one."""
    connection.sendall(len(content).to_bytes(SIZE_BYTES))
    connection.sendall(content)


def receive(connection: socket.socket) -> bytearray:
    """Wait for what the other side sends, and return it.

    Raises:
        EOFError: The other side is gone.
        OSError: The same.
    """
    return _exactly(connection, int.from_bytes(_exactly(connection, SIZE_BYTES)))


def _exactly(connection: socket.socket, size: int) -> bytearray:
    content = bytearray(size)
    missing = memoryview(content)
    while missing:
        received = connection.recv_into(missing)
        if not received:
            raise EOFError
        missing = missing[received:]
    return content


def _read(connection: socket.socket, requests: _Requests) -> None:
    try:
        while True:
            requests.put(receive(connection))
    except (EOFError, OSError):
        requests.put(None)
    time.sleep(END_LIMIT_S)
    end_now(0)


def _answer(request: bytearray) -> bytes:
    """Return three things pickled: a value, or an exception, and where that was raised."""
    name = "a function"
    try:
        name, request_id, function, args = pickle.loads(request)
        if request_id is not None:
            from ..observability import context

            context.request_id.set(request_id)
        value = function(*args)
    except BaseException as error:
        return _failure(name, error)
    try:
        return pickle.dumps((value, None, ""), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return pickle.dumps((None, unsendable(name, "what it returned", error), ""))


def _failure(name: str, error: BaseException) -> bytes:
    place = "".join(traceback.format_exception(error))
    error = error.with_traceback(None)
    try:
        answer = pickle.dumps((None, error, place), pickle.HIGHEST_PROTOCOL)
        pickle.loads(answer)  # an exception with arguments of its own often cannot be rebuilt
    except Exception as reason:
        what = f"the exception {type(error).__name__}"
        return pickle.dumps((None, unsendable(name, what, reason), place))
    return answer


def unsendable(name: str, what: str, reason: Exception) -> OffloadError:
    """Return the error of a function with an end that cannot be sent to the parent."""
    from .._utils import told
    from .errors import OffloadError

    return OffloadError(
        f"{what} cannot be sent back from the process of {name}: {told(reason)}",
        code="offloading.E005",
        hint="return values, and raise exceptions, that pickle copies",
    )
