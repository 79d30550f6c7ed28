"""What the tests offload to other processes: it has to be importable there."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

from fastforge.observability.context import request_id


class Refused(Exception):
    """An exception that pickle cannot rebuild."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")


def double(number: int) -> int:
    return 2 * number


def fail(text: str) -> None:
    raise ValueError(text)


def refuse() -> None:
    raise Refused("card", "expired")


def process_id() -> int:
    return os.getpid()


def id_of_request() -> str | None:
    return request_id.get()


def make_lambda() -> Any:
    return lambda: None


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(7)


def spin(path: str) -> None:
    """Write the process's id, and never end."""
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(str(os.getpid()))
    os.replace(f"{path}.new", path)
    while True:
        time.sleep(0.01)


def write_to_the_terminal() -> str:
    """Write where the answers must not be mixed up with it."""
    sys.stdout.write("R" * 100_000)
    sys.stderr.write("noise\n")
    return "done"


def size_of(content: bytes) -> int:
    return len(content)


def crash_with_a_fork(path: str) -> None:
    """End without an answer, and leave a fork behind that lives on."""
    if os.fork() == 0:
        spin(path)
    while not os.path.exists(path):
        time.sleep(0.01)
    os._exit(7)


def fork_and_wait(path: str) -> None:
    if os.fork() == 0:
        spin(path)
    os.wait()
