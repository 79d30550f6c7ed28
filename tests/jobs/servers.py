"""Servers that a test stops and starts again, with what they have kept."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis

from tests import services
from tests.processes import wait_until

__all__ = ["Durable", "durable"]


class Durable:
    """A PostgreSQL or Redis of one test's own, which keeps its data and its port.

    Args:
        process: The server.
        folder: Where its data are.
        url: Where it answers.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, url: str) -> None:
        self._process = process
        self._folder = folder
        self.url = url

    def stop(self) -> None:
        """End the server; whoever is connected loses the connection."""
        services.stop(self._process)

    def freeze(self) -> None:
        """Let it do nothing: its connections stay open, and nobody is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was."""
        self._process.send_signal(signal.SIGCONT)

    def start(self) -> None:
        """Start it again, and return once it answers."""
        arguments: Any = self._process.args
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                arguments,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **services._unprivileged(),
            )
        wait_until(self._answers)

    def _answers(self) -> bool:
        with suppress(redis.exceptions.RedisError, psycopg.OperationalError):
            if urlsplit(self.url).scheme == "redis":
                with redis.Redis.from_url(self.url) as client:
                    return bool(client.ping())
            psycopg.connect(self.url).close()
            return True
        return False


@contextmanager
def durable(name: str) -> Iterator[Durable]:
    """Start one for a block."""
    with services.temporary_folder() as folder:
        if name == "redis":
            process, url = services.start_redis(folder, "--appendonly", "yes")
        else:
            process, url = services.start_postgres(folder, "fsync=on")
        server = Durable(process, folder, url)
        try:
            yield server
        finally:
            server.thaw()
            server.stop()
