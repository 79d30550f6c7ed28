"""Functions that block an event loop, each in another way."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Final

__all__ = ["KINDS", "block_by_sleeping"]


def block_by_sleeping(seconds: float) -> None:
    time.sleep(seconds)


def block_by_computing(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(number * number for number in range(500))


def block_by_hashing(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 60_000)


def block_in_c(seconds: float) -> None:
    """Hold the interpreter, so that no other thread runs."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(2_000_000))


def block_by_reading(seconds: float) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threading.Timer(seconds, theirs.send, [b"."]).start()
        ours.recv(1)


def block_by_waiting(seconds: float) -> None:
    subprocess.run(["sleep", str(seconds)], check=True)


KINDS: Final[tuple[Callable[[float], None], ...]] = (
    block_by_sleeping,
    block_by_computing,
    block_by_hashing,
    block_in_c,
    block_by_reading,
    block_by_waiting,
)
