"""Wires: a server's `send` is called where a message is published, and waited for in a task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fastforge.channels.waiting.begun import begun
from fastforge.channels.waiting.frames import Frame
from fastforge.channels.waiting.outbox import Outbox
from fastforge.channels.waiting.wires import AsgiWire

from ..processes import wait_until_async


class Server:
    """A server whose client takes nothing while it is told so."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.began = 0
        self.callers: set[asyncio.Task[Any] | None] = set()
        self.takes = asyncio.Event()
        self.takes.set()
        self.fails: Exception | None = None
        self.ended = 0
        self.wire = AsgiWire(self.send)
        self.outbox = Outbox(self.wire, size=9, size_bytes=9999, patience_s=9, let_go=lambda: None)

    async def send(self, message: Any) -> None:
        self.began += 1
        if self.fails is not None:
            raise self.fails
        await self.takes.wait()
        self.callers.add(asyncio.current_task())
        self.sent.append(message["text"])

    def _ended(self) -> None:
        self.ended += 1

    async def started(self) -> Server:
        self.wire.start(self.outbox, ended=self._ended, stopping=lambda code, why: None)
        await wait_until_async(lambda: not self.wire.is_sending)
        return self

    def push(self, *texts: str) -> None:
        for text in texts:
            self.outbox.push(Frame(text.encode()))


async def test_what_a_server_takes_at_once_is_sent_without_a_task() -> None:
    server = await Server().started()
    server.push("a")
    assert (server.sent, server.wire.is_sending) == (["a"], False)
    assert server.callers == {asyncio.current_task()}
    await server.wire.end()


async def test_what_it_does_not_take_goes_on_in_a_task_and_in_order() -> None:
    server = await Server().started()
    server.takes.clear()
    server.push("a", "b", "c")
    assert (server.began, server.sent) == (1, [])
    assert server.wire.is_stuck(server.outbox.now() + 10, 5)
    server.takes.set()
    await wait_until_async(lambda: len(server.sent) == 3)
    assert server.sent == ["a", "b", "c"]
    assert not server.wire.is_stuck(server.outbox.now() + 10, 5)
    await server.wire.end()


async def test_many_at_once_are_sent_by_one_task_after_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = await Server().started()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 7.0)  # as uvloop's, in a turn
    server.push("a", "b", "c")
    assert server.sent == ["a"]
    monkeypatch.undo()
    await wait_until_async(lambda: len(server.sent) == 3)
    assert server.sent == ["a", "b", "c"]
    await server.wire.end()


async def test_a_client_that_is_gone_ends_the_wire_and_not_whoever_publishes() -> None:
    server = await Server().started()
    server.fails = RuntimeError("gone")
    server.push("a")
    assert server.ended == 1
    await server.wire.end()


@pytest.mark.parametrize("begins", [lambda wire: None, lambda wire: asyncio.sleep(0)])
async def test_what_has_begun_is_not_waited_for_when_the_client_is_gone(
    begins: Callable[[AsgiWire], Any],
) -> None:
    server = await Server().started()
    server.takes.clear()
    server.push("a")
    if (turn := begins(server.wire)) is not None:
        await turn
    await server.wire.end()
    assert (server.sent, server.wire.is_sending) == ([], False)


async def test_the_rest_of_what_has_begun_takes_several_steps_and_errors() -> None:
    steps: list[object] = []

    async def work() -> None:
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            steps.append("cancelled")
            await asyncio.sleep(0)
            raise
        finally:
            steps.append("ended")

    rest = begun(work())
    assert rest is not None

    async def go_on() -> None:
        await rest

    task = asyncio.ensure_future(go_on())
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["cancelled", "ended"]
