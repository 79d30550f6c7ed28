"""Child: the process that runs offloaded functions, one after the other."""

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
from typing import BinaryIO, Final

from .wire import FAILED, RETURNED, SIZE_BYTES, UNSENDABLE, frame

__all__ = ["main"]

END_LIMIT_S: Final = 0.5
"""How long a process without a parent may still take to end by itself."""

_Request = tuple[str, bytes]


def main() -> None:
    """Run what arrives on the socket that the parent gave, until the parent closes it."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
    # A function cannot hear that the parent is gone; a thread beside it can.
    threading.Thread(target=_read, args=(connection, requests), daemon=True).start()
    while (request := requests.get()) is not None:
        # Each in a context of its own: what one function sets, the next one does not see.
        answer = contextvars.Context().run(_answer, *request)
        connection.sendall(frame(answer))


def _read(connection: socket.socket, requests: queue.SimpleQueue[_Request | None]) -> None:
    try:
        with connection.makefile("rb") as stream:
            while True:
                request_id = _frame(stream)
                requests.put((request_id.decode(), _frame(stream)))
    except (EOFError, OSError):
        requests.put(None)
    time.sleep(END_LIMIT_S)
    os._exit(0)


def _frame(stream: BinaryIO) -> bytes:
    size = stream.read(SIZE_BYTES)
    if len(size) < SIZE_BYTES:
        raise EOFError
    return stream.read(int.from_bytes(size))


def _answer(request_id: str, request: bytes) -> bytes:
    if request_id:
        from ..observability import context

        context.request_id.set(request_id)
    try:
        function, args = pickle.loads(request)
        value = function(*args)
    except BaseException as error:
        return _failure(error)
    try:
        return RETURNED + pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return _unsendable("what it returned", error)


def _failure(error: BaseException) -> bytes:
    text = "".join(traceback.format_exception(error))
    error = error.with_traceback(None)
    try:
        answer = pickle.dumps((error, text), pickle.HIGHEST_PROTOCOL)
        pickle.loads(answer)  # an exception with arguments of its own often cannot be rebuilt
    except Exception:
        return _unsendable(f"the exception {type(error).__name__}", error, text)
    return FAILED + answer


def _unsendable(what: str, error: BaseException, text: str = "") -> bytes:
    from .._utils import told

    return UNSENDABLE + pickle.dumps((what, told(error), text))
