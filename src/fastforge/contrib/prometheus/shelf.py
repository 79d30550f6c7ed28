"""Shelf: the file in which one process keeps what it counts, so that its death loses nothing.

A file is a row of chunks, and a chunk a row of entries that follow one another without a gap:

    size of the entry (4 bytes), what it is (2), which metric (2), size of its text (4), cells (4)
    the text, JSON, filled up to 8 bytes
    the cells, each a double

The size is written last: what is not complete is not there. The memory of a chunk is that of the
file, so that counting is an assignment, and the kernel keeps what a killed process has counted.
"""

from __future__ import annotations

import json
import logging
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from ...observability.metrics import Metric
from ...observability.metrics.meter import Cells

__all__ = [
    "CHUNK_BYTES",
    "METRIC",
    "SERIES",
    "Entry",
    "Shelf",
    "entries_in",
    "metric_from",
    "metric_text",
]

logger = logging.getLogger("fastforge.contrib.prometheus")

CHUNK_BYTES: Final = 64 * 1024
MOST_CHUNKS: Final = 256
"""16 MiB: more than all metrics of a process may have, by their limits."""
LONGEST_LABEL: Final = 256
METRIC, SERIES = 1, 2
_HEAD: Final = struct.Struct("<IHHII")
_SIZE: Final = struct.Struct("<I")


class Entry(NamedTuple):
    """One entry of a file.

    Attributes:
        kind: METRIC or SERIES.
        number: Which metric of the file it is, or belongs to.
        text: What it says, as JSON values.
        cells: The numbers of a series.
    """

    kind: int
    number: int
    text: Any
    cells: tuple[float, ...]


class Shelf:
    """Keeps the cells of series in a file.

    Surprises: where the disk is full, or the file has grown as far as it may, cells are in memory
    and nobody sees them; one line in the log tells of it.

    Args:
        descriptor: The file, open for reading and writing, and empty.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.RLock()
        self._metrics: dict[Metric, int] = {}
        self._chunk: memoryview | None = None
        self._chunks = self._used = 0
        self._is_full = False

    def place(self, metric: Metric, labels: tuple[str, ...], count: int) -> Cells:
        """Return the cells of a series, each 0."""
        with self._lock:
            number = self._metrics.get(metric)
            if number is None:
                number = len(self._metrics)
                if self._write(METRIC, number, metric_text(metric), 0) is None:
                    return [0.0] * count
                self._metrics[metric] = number
            text = json.dumps([label[:LONGEST_LABEL] for label in labels])
            cells = self._write(SERIES, number, text, count)
            return [0.0] * count if cells is None else cells

    def note(self, kind: int, text: Any) -> None:
        """Write something that is no series.

        Args:
            kind: What it is.
            text: JSON values.
        """
        with self._lock:
            self._write(kind, 0, json.dumps(text), 0)

    def _write(self, kind: int, number: int, text: str, count: int) -> Any:
        """Write an entry; return its cells, or None where there is no room."""
        encoded = text.encode()
        padded = encoded + b" " * (-len(encoded) % 8)
        start_of_cells = _HEAD.size + len(padded)
        size = start_of_cells + 8 * count
        chunk = self._chunk_for(size)
        if chunk is None:
            return None
        entry = chunk[self._used : self._used + size]
        entry[_HEAD.size : start_of_cells] = padded
        entry[: _HEAD.size] = _HEAD.pack(0, kind, number, len(encoded), count)
        entry[: _SIZE.size] = _SIZE.pack(size)
        self._used += size
        return entry[start_of_cells:].cast("d")

    def _chunk_for(self, size: int) -> memoryview | None:
        if self._chunk is not None and self._used + size <= CHUNK_BYTES:
            return self._chunk
        if self._is_full or size > CHUNK_BYTES or self._chunks >= MOST_CHUNKS:
            self._tell_full("it has grown as far as it may")
            return None
        offset = self._chunks * CHUNK_BYTES
        try:
            # Of a file with holes a full disk would be told by a signal that kills.
            os.pwrite(self._descriptor, bytes(CHUNK_BYTES), offset)
            memory = mmap.mmap(self._descriptor, CHUNK_BYTES, offset=offset)
        except OSError as error:
            self._tell_full(str(error.strerror))
            return None
        self._chunk, self._used = memoryview(memory), 0
        self._chunks += 1
        return self._chunk

    def _tell_full(self, why: str) -> None:
        if not self._is_full:
            self._is_full = True
            logger.warning("some metrics of this process are not shown: %s", why)


def entries_in(file: Path) -> Iterator[Entry]:
    """Yield the entries of a file, also of one that is being written."""
    content = file.read_bytes()
    for offset in range(0, len(content), CHUNK_BYTES):
        yield from _entries(memoryview(content)[offset : offset + CHUNK_BYTES])


def _entries(chunk: memoryview) -> Iterator[Entry]:
    position = 0
    while position + _HEAD.size <= len(chunk):
        size, kind, number, length, count = _HEAD.unpack_from(chunk, position)
        start = position + _HEAD.size
        start_of_cells = start + length + -length % 8
        if not size or position + size > len(chunk) or size < _HEAD.size:
            return
        try:
            text = json.loads(bytes(chunk[start : start + length]))
        except ValueError:  # of an entry that another processor has not seen whole
            return
        yield Entry(kind, number, text, struct.unpack_from(f"={count}d", chunk, start_of_cells))
        position += size


def metric_text(metric: Metric) -> str:
    """Return a metric as JSON, for processes that do not know it."""
    fields = metric.name, metric.kind, metric.unit, metric.labels, metric.help
    return json.dumps([*fields, metric.bounds, metric.across, metric.limit])


def metric_from(text: Any) -> Metric:
    """Return the metric that `metric_text` has written."""
    from ...observability.metrics import Across, MetricKind

    name, kind, unit, labels, help_, bounds, across, limit = text
    return Metric(
        name=name,
        kind=MetricKind(kind),
        unit=unit,
        labels=tuple(labels),
        help=help_,
        bounds=tuple(bounds),
        across=Across(across),
        limit=limit,
    )
