"""Clients that ask without pause, and count what was not answered."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from types import TracebackType
from typing import Self

REQUEST_LIMIT_S = 60


class Load:
    """Threads that send requests: half of them on new connections, half on ones that are kept.

    A connection is kept until an answer says `Connection: close`, as HTTP has it. Nothing is tried
    again, so that each request that is refused, reset or left without an answer counts.
    """

    def __init__(self, port: int, *, threads: int) -> None:
        self.answered = 0
        self.failures: Counter[str] = Counter()
        self._port = port
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._ask, args=(number % 2 == 0,)) for number in range(threads)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, keeps: bool) -> None:
        headers = {} if keeps else {"Connection": "close"}
        connection = self._connection()
        while not self._ending.is_set():
            try:
                # It connects anew by itself after an answer that closed the connection.
                connection.request("GET", "/", headers=headers)
                answer = connection.getresponse()
                answer.read()
                self._count(answer.status)
            except (OSError, http.client.HTTPException) as error:
                self._count(f"{type(error).__name__}: {error}")
                connection.close()
                connection = self._connection()
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=REQUEST_LIMIT_S)

    def _count(self, outcome: int | str) -> None:
        with self._lock:
            if outcome == 200:
                self.answered += 1
            else:
                self.failures[str(outcome)] += 1
