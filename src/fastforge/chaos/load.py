"""Load: a crowd of clients that ask one server at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from .clients import Client, Fresh, Halting, Idle, KeepAlive
from .probing import Choice
from .scenario import Scenario
from .tally import Tally
from .websocket import SocketClient
from .wire import Target

__all__ = ["Load"]

C = TypeVar("C", bound=Client)
NOTICES_WITHIN_S: Final = 2


class Load:
    """The clients of one proof; it begins to ask when it is made.

    Args:
        scenario: Who asks.
        choice: What for.
        target: The server.
        tally: Where they count.
    """

    def __init__(self, scenario: Scenario, choice: Choice, target: Target, tally: Tally) -> None:
        self._scenario = scenario
        self._choice = choice
        self._target = target
        self._tally = tally
        self._ending = asyncio.Event()
        self._tasks = [asyncio.create_task(client.run()) for client in self._clients()]

    def end(self) -> None:
        """Let nobody ask anew; what was asked is waited for, and what is open is held."""
        self._ending.set()

    async def finish(self) -> None:
        """Wait for all clients, whose server has ended; then end those that are left.

        Raises:
            Exception: A client has a fault of its own.
        """
        self.end()
        done, left = await asyncio.wait(self._tasks, timeout=NOTICES_WITHIN_S)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in done:
            task.result()

    def _clients(self) -> Iterator[Client]:
        crowd, paths = self._scenario.crowd, self._choice.paths
        asking = [KeepAlive] * crowd.keep_alive + [Fresh] * crowd.fresh + [Halting] * crowd.halting
        for number, kind in enumerate(asking if paths else []):
            yield self._client(kind, _share(paths, number, len(asking)))
        for number in range(crowd.idle if paths else 0):
            yield self._client(Idle, _share(paths, number, crowd.idle))
        for number in range(crowd.sockets if self._choice.sockets else 0):
            client = self._client(SocketClient, _share(self._choice.sockets, number, crowd.sockets))
            client.greetings = self._choice.greetings
            yield client

    def _client(self, kind: type[C], paths: Sequence[str]) -> C:
        return kind(
            self._target,
            paths,
            self._tally,
            self._ending,
            think_s=self._scenario.crowd.think_s,
            limit_s=self._scenario.request_limit_s,
        )


def _share(paths: Sequence[str], number: int, of: int) -> Sequence[str]:
    """Return the paths of one of several clients, so that together they ask for all."""
    return paths[number::of] or [paths[number % len(paths)]]
