"""Publishing: what sources know is written down every second, for whoever reads the folder."""

from __future__ import annotations

import math
import threading
from operator import add
from typing import Final

from ...lifecycle import Container
from ...observability.metrics import Meter, MetricKind
from ...observability.metrics.meter import Place, Series
from ...observability.metrics.snapshots import samples_of_sources
from .merging import cells_of

__all__ = ["Publisher"]

EVERY_S: Final = 1.0
GONE: Final = math.nan


class Publisher(threading.Thread):
    """Asks the sources of a project in a thread, so that a blocked event loop is seen too.

    Args:
        container: The running project.
        place: Gives the cells that others see.
    """

    def __init__(self, container: Container, place: Place) -> None:
        super().__init__(name="fastforge-metrics", daemon=True)
        self._container = container
        self._lock = threading.Lock()
        self._meter = Meter()
        self._meter.keep_in(place)
        self._over = threading.Event()
        self._shown: set[Series] = set()

    def run(self) -> None:
        """Write down what the sources say, until `close`."""
        while not self._over.is_set():
            self.publish()
            self._over.wait(EVERY_S)

    def publish(self) -> None:
        """Write down what the sources say now."""
        with self._lock:
            found: dict[Series, list[float]] = {}
            for sample in samples_of_sources(self._container):
                series = self._meter.series(sample.metric, *sample.labels)
                cells = cells_of(sample.value)
                known = found.get(series)
                # Those beyond the limit of a metric share one series.
                found[series] = [*cells] if known is None else [*map(add, known, cells)]
            for series, values in found.items():
                for number, value in enumerate(values):
                    series.cells[number] = value
            for series in self._shown - found.keys():
                if series.metric.kind is MetricKind.GAUGE:
                    series.cells[0] = GONE
            self._shown = {*found}

    def close(self) -> None:
        """Write down everything a last time, and end."""
        self._over.set()
        self.join()
        self.publish()
