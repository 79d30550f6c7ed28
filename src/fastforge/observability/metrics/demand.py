"""Demand: whether anybody wants the metrics of a project; else little is recorded."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from .meter import process_meter
from .of_processes import GC_PAUSE
from .source import METRIC_SOURCES

__all__ = ["exporting", "is_exported"]

_exported: Final[Counter[int]] = Counter()


@contextmanager
def exporting(container: Any) -> Iterator[None]:
    """Let everything be measured that `snapshot` tells, from now on until the end of the block.

    An exporter enters it in a resource, so before the first request: what serves looks once,
    when all resources are open.

    ```python
    @resource(required=False)
    async def exporter() -> AsyncIterator[Exporter]:
        container = current_container()
        with exporting(container):
            yield Exporter(container)
    ```

    Args:
        container: The running project.
    """
    container.registry.values(METRIC_SOURCES)  # whose modules are imported here, on this thread
    if not _exported:
        gc.callbacks.append(_collecting)
    _exported[id(container)] += 1
    try:
        yield
    finally:
        _exported[id(container)] -= 1
        if not _exported[id(container)]:
            del _exported[id(container)]
        if not _exported:
            gc.callbacks.remove(_collecting)


def is_exported(container: Any) -> bool:
    """Return whether somebody exports the metrics of a running project."""
    return id(container) in _exported


class _Pause:
    """When the collector has begun; it is one at a time."""

    began = 0.0


def _collecting(phase: str, info: Mapping[str, Any]) -> None:
    # No lock: the collector may run at any moment, also while somebody holds it.
    if phase == "start":
        _Pause.began = time.perf_counter()
    elif _Pause.began:
        series = process_meter.series(GC_PAUSE, str(info.get("generation", 0)))
        series.record(time.perf_counter() - _Pause.began)
