"""Telemetry: FastAPI's own, asked less often whether anybody wants it, and led by the project.

Before every request FastAPI looks whether an OpenTelemetry provider has been set up meanwhile,
which takes an eighth of the time of a small request. The answer changes once in the life of a
process, if at all. A project that is traced (`fastforge.contrib.telemetry`) is asked first: it
decides what is recorded before FastAPI has begun to look at a request.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from fastapi import FastAPI

from ..lifecycle import Container
from ..observability.tracers import TracedRequests, Tracing

__all__ = ["lead_telemetry"]

_ATTRIBUTE: Final = "_native_telemetry"
"""FastAPI's name for it, which is private: where it is missing, everything stays as it is."""
ASK_AGAIN_AFTER_S: Final = 0.1


class _Native(Protocol):
    def enabled(self) -> bool: ...


def lead_telemetry(app: FastAPI, running: Callable[[], Container | None] = lambda: None) -> None:
    """Let the project trace the requests of an application; without one, look for others less.

    Args:
        app: The application.
        running: Gives the container of the running project, if it is running.
    """
    native = getattr(app, _ATTRIBUTE, None)
    if hasattr(native, "enabled") and not isinstance(native, _Led):
        setattr(app, _ATTRIBUTE, _Led(cast(_Native, native), running))


class _Led:
    """Stands for FastAPI's telemetry: the project's where it is traced, else FastAPI's own.

    That nobody wants that is remembered for a while.
    """

    def __init__(self, native: _Native, running: Callable[[], Container | None]) -> None:
        self._native = native
        self._running = running
        self._ask_at = 0.0
        self._traced: tuple[Tracing, TracedRequests] | None = None

    def enabled(self) -> bool:
        container = self._running()
        if container is not None and container.tracing is not None:
            return True
        now = time.monotonic()
        if now < self._ask_at:
            return False
        enabled = self._native.enabled()
        if not enabled:
            self._ask_at = now + ASK_AGAIN_AFTER_S
        return enabled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._native, name)

    def __call__(self, **options: Any) -> Any:
        container = self._running()
        tracing = None if container is None else container.tracing
        if tracing is None:
            return cast(Any, self._native)(**options)
        if self._traced is None or self._traced[0] is not tracing:
            self._traced = tracing, tracing.requests(self._native)
        return self._traced[1](**options)
