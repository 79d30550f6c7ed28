"""Telemetry: FastAPI's own, asked less often whether anybody wants it.

Before every request FastAPI looks whether an OpenTelemetry provider has been set up meanwhile,
which takes an eighth of the time of a small request. The answer changes once in the life of a
process, if at all.
"""

from __future__ import annotations

import time
from typing import Any, Final, Protocol, cast

from fastapi import FastAPI

__all__ = ["ask_less_often"]

_ATTRIBUTE: Final = "_native_telemetry"
"""FastAPI's name for it, which is private: where it is missing, everything stays as it is."""
ASK_AGAIN_AFTER_S: Final = 0.1


class _Native(Protocol):
    def enabled(self) -> bool: ...


def ask_less_often(app: FastAPI) -> None:
    """Let an application without telemetry look for it ten times a second at most."""
    native = getattr(app, _ATTRIBUTE, None)
    if hasattr(native, "enabled") and not isinstance(native, _Remembering):
        setattr(app, _ATTRIBUTE, _Remembering(cast(_Native, native)))


class _Remembering:
    """Stands for FastAPI's telemetry, and remembers for a while that nobody wants it."""

    def __init__(self, native: _Native) -> None:
        self._native = native
        self._ask_at = 0.0

    def enabled(self) -> bool:
        now = time.monotonic()
        if now < self._ask_at:
            return False
        enabled = self._native.enabled()
        if not enabled:
            self._ask_at = now + ASK_AGAIN_AFTER_S
        return enabled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._native, name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        return cast(Any, self._native)(*args, **options)
