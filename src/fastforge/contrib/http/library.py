"""Library: httpx without its command line, which where it is installed is half of the import."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["httpx"]

_COMMAND_LINE: Final = "httpx._main"


@contextmanager
def _absent(module: str) -> Iterator[None]:
    """Let an import of a module fail, as where what it needs is not installed."""
    modules: dict[str, Any] = sys.modules
    known = modules.get(module)
    modules[module] = known
    try:
        yield
    finally:
        if known is None:
            del modules[module]


with _absent(_COMMAND_LINE):
    import httpx
