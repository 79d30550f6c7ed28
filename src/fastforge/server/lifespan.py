"""Lifespan: the start and the stop of the application, which can be cancelled and are told once."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.lifespan.on import LifespanOn

from ..exceptions import StartError
from ..observability.logging.refusals import tell_refusal

if TYPE_CHECKING:
    from uvicorn.lifespan.on import LifespanSendMessage

__all__ = ["Lifespan"]

RAISES_WITHIN_S: Final = 1


class Lifespan(LifespanOn):
    """A lifespan whose start can be cancelled, and which tells a failure once.

    Attributes:
        failure: What the application raised.
        message: What it said of a start that failed.
        may_tell: Asked before such a failure is told.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(copy.copy(config))
        self.config.loaded_app = self._noting(config.loaded_app)
        self.failure: BaseException | None = None
        self.message = ""
        self.may_tell: Callable[[], bool] = lambda: True
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        self._task = asyncio.create_task(self.main())
        # One that is cancelled before its first step does not say so itself.
        self._task.add_done_callback(lambda _: self.startup_event.set())
        await self.receive_queue.put({"type": "lifespan.startup"})
        await self.startup_event.wait()
        self.should_exit = self.startup_failed or self.error_occurred
        if self.should_exit:  # it tells first that it has failed, and then raises why
            await asyncio.wait({self._task}, timeout=RAISES_WITHIN_S)
            self._tell()

    def interrupt(self) -> None:
        """Cancel the start, if it has not come to its end; the application then closes."""
        if not self.startup_event.is_set() and self._task is not None:
            self.startup_failed = True
            self._task.cancel()

    async def send(self, message: LifespanSendMessage) -> None:
        if message["type"] == "lifespan.startup.failed":
            if not self.startup_failed:  # else it was interrupted, which is no news
                self.message = message.get("message", "")
            message["message"] = ""  # told below, once it is known what was raised
        await super().send(message)

    def _tell(self) -> None:
        """Say why the start failed, if the application has said that it did."""
        if not self.message or not self.may_tell():
            return
        failure = self.failure
        if failure is None:  # not every application raises why
            failure = StartError(self.message, code="server.E013")
        tell_refusal(failure, text=self.message)

    def _noting(self, app: Any) -> Any:
        async def noting(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            except BaseException as error:
                self.failure = error
                raise

        return noting
