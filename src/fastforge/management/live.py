"""LiveProject: a running project whose event loop has a thread of its own, used from another one.

A console reads in the main thread, where Ctrl-C and the terminal work as everywhere; services,
pools and resources that are tried again go on meanwhile.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from .._utils import told
from ..commands.shell import SHELL_NAMES, ShellNames
from ..lifecycle import Container, Role, execute, plan
from ..lifecycle.execution import solve
from ..observability.context import new_request_id, request_id
from ..project import Project

__all__ = ["Group", "LiveProject"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What one `@shell_names` function gave.

    Args:
        name: What the shell calls it.
        values: The values by name.
        note: A few words about them, or why there are none.
    """

    name: str
    values: Mapping[str, object]
    note: str


class _Failed(Exception):
    """What was done with the project failed: what has not been written is nobody's mistake."""


class LiveProject:
    """Opens a project's resources in role COMMAND and awaits on the loop that opened them.

    ```python
    with LiveProject(project) as live:
        live.run(count_notes())
    ```

    Surprises: everything between is one execution, as one command is: one session of the
    database, for example. Leaving by an exception, or with `failed` set, drops what it has not
    written; else it insists that nothing is left unwritten.

    Attributes:
        container: The running resources.
        groups: What the apps put at hand.
        context: The context variables of the execution, for code in the caller's thread.
        failed: Whether the execution is to end as a failed one.
        is_interrupted: Whether Ctrl-C has cancelled what `run` ran last.
    """

    container: Container
    groups: tuple[Group, ...]
    context: contextvars.Context
    is_interrupted: bool = False

    def __init__(self, project: Project) -> None:
        self._project = project
        self._loop = asyncio.new_event_loop()
        self._opened: Future[None] = Future()
        self._closed: Future[None] = Future()
        self._end = asyncio.Event()
        self.failed = False
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        threading.Thread(target=self._live, name="fastforge event loop", daemon=True).start()
        try:
            self._opened.result()
        except BaseException:  # a signal, or what the thread has told already
            self._loop_does(self._interrupt)
            self._closed.exception()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # `exit()` is how a shell is left.
        self.failed |= error is not None and not isinstance(error, SystemExit)
        self._loop_does(self._end.set)
        self._closed.result()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await something on the project's loop, and return or raise what comes of it.

        Raises:
            KeyboardInterrupt: Ctrl-C has cancelled the work, and it has ended, unless it was a
                second one.
        """
        self.is_interrupted = False
        outcome: _Outcome[T] = _Outcome(work)
        try:
            self._loop.call_soon_threadsafe(outcome.begin)
            outcome.ended.result()
        except BaseException as signalled:  # what the work raises is in its outcome
            self.is_interrupted = True
            self._loop_does(outcome.cancel)
            outcome.ended.result()
            if outcome.was_cancelled or not isinstance(signalled, KeyboardInterrupt):
                raise
        return outcome.result()

    def _loop_does(self, call: Callable[[], object]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    def _interrupt(self) -> None:
        self.failed = True
        self._end.set()
        if self._task is not None:
            self._task.cancel()

    def _live(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._main())
        except BaseException as error:
            self._tell(error)
        else:
            self._closed.set_result(None)

    def _tell(self, error: BaseException) -> None:
        if not self._opened.done():
            self._opened.set_exception(error)
        self._closed.set_exception(error)

    async def _main(self) -> None:
        self._task = asyncio.current_task()
        request_id.set(new_request_id())  # of the whole shell
        try:
            async with (
                self._project.running(Role.COMMAND) as self.container,
                execute(self.container, plan(_nothing)),
                AsyncExitStack() as stack,
            ):
                self.groups = tuple([group async for group in self._groups(stack)])
                self.context = contextvars.copy_context()
                self._opened.set_result(None)
                await self._end.wait()
                if self.failed:
                    raise _Failed
        except _Failed:
            pass

    async def _groups(self, stack: AsyncExitStack) -> AsyncIterator[Group]:
        for declared in self.container.registry.values(SHELL_NAMES):
            try:
                yield await _group(declared, stack)
            except Exception as error:
                yield Group(name=declared.name, values={}, note=f"none: {told(error)}")


class _Outcome(Generic[T]):
    """What comes of some work; no exception of it, `SystemExit` neither, ends the event loop."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self.ended: Future[None] = Future()
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._values: list[T] = []
        self._error: BaseException | None = None

    @property
    def was_cancelled(self) -> bool:
        return isinstance(self._error, asyncio.CancelledError)

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._values[0]

    def begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        if self._task is None:  # the signal came before it could begin
            self._work.close()
            self._end(asyncio.CancelledError())
        else:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            self._values.append(await self._work)
        except BaseException as error:
            self._end(error)
        else:
            self._end(None)

    def _end(self, error: BaseException | None) -> None:
        self._error = error
        self.ended.set_result(None)


async def _group(declared: ShellNames, stack: AsyncExitStack) -> Group:
    values = declared.function(**await solve(plan(declared.function), stack))
    # Copied here, so that what is no mapping is told as a failure of this function.
    return Group(name=declared.name, values={**values}, note=declared.note)


def _nothing() -> None:
    """Take nothing: the execution of the shell is there for its scopes."""
