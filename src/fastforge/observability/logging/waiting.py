"""Waiting: structlog is configured when the project imports it, and not imported before.

It takes as long to import as a part of FastAPI, and many projects never use it.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

__all__ = ["structlog_configured"]

STRUCTLOG: Final = "structlog"


def structlog_configured() -> Callable[[], None]:
    """Configure structlog now if it is imported, else as soon as it is; return what undoes that."""
    if STRUCTLOG in sys.modules:
        from .structured import configured_structlog

        return configured_structlog()
    waiter = _Waiter()
    sys.meta_path.insert(0, waiter)
    return waiter.undo


class _Waiter(importlib.abc.MetaPathFinder):
    """Finds one module, by the finders behind it, and steps aside."""

    def __init__(self) -> None:
        self._undo: Callable[[], None] | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find structlog, and nothing else."""
        if fullname != STRUCTLOG:
            return None
        self._leave()
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self)
        return spec

    def imported(self) -> None:
        """Configure it."""
        from .structured import configured_structlog

        self._undo = configured_structlog()

    def undo(self) -> None:
        """Wait no more, and take back what was configured."""
        self._leave()
        if self._undo is not None:
            self._undo()

    def _leave(self) -> None:
        with suppress(ValueError):
            sys.meta_path.remove(self)


class _Loader(importlib.abc.Loader):
    """Loads it as it would have been, and tells when that is done."""

    def __init__(self, loader: Any, waiter: _Waiter) -> None:
        self._loader = loader
        self._waiter = waiter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # what asks for its files or its source

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module."""
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        """Run it; from here on everything is as without us."""
        spec = module.__spec__
        if spec is not None:
            spec.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._waiter.imported()
