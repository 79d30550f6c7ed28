"""The metrics of a process itself: its event loop, its memory, its state."""

from __future__ import annotations

from typing import Final

from .metric import Across, Metric, MetricKind

__all__ = [
    "BUILD_INFO",
    "EVENT_LOOP_BLOCKS",
    "EVENT_LOOP_LAG",
    "GC_PAUSE",
    "LINES_DROPPED",
    "PROCESSES",
    "PROCESS_CPU",
    "PROCESS_FILES",
    "PROCESS_MEMORY",
    "PROCESS_START",
    "PROCESS_THREADS",
    "READY",
]

EVENT_LOOP_LAG: Final = Metric(
    name="event_loop.lag",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=(),
    help="How late the event loop came to what was due.",
    bounds=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENT_LOOP_BLOCKS: Final = Metric(
    name="event_loop.blocks",
    kind=MetricKind.COUNTER,
    unit="{block}",
    labels=("cause",),
    help="How often the event loop was blocked for longer than the watchdog bears.",
)
GC_PAUSE: Final = Metric(
    name="gc.pause",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=("cpython.gc.generation",),
    help="How long the garbage collector kept everything else waiting.",
    bounds=(0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
PROCESSES: Final = Metric(
    name="processes",
    kind=MetricKind.GAUGE,
    unit="{process}",
    labels=("role",),
    help="How many processes there are.",
)
PROCESS_CPU: Final = Metric(
    name="process.cpu.time",
    kind=MetricKind.COUNTER,
    unit="s",
    labels=("cpu.mode",),
    help="The time of the CPU that the process has used, for itself (`user`) and in the kernel.",
)
PROCESS_MEMORY: Final = Metric(
    name="process.memory.usage",
    kind=MetricKind.GAUGE,
    unit="By",
    labels=(),
    help="The memory that the process has in use.",
)
PROCESS_FILES: Final = Metric(
    name="process.open_file_descriptor.count",
    kind=MetricKind.GAUGE,
    unit="{file_descriptor}",
    labels=(),
    help="How many files and connections the process has open.",
)
PROCESS_THREADS: Final = Metric(
    name="process.thread.count",
    kind=MetricKind.GAUGE,
    unit="{thread}",
    labels=(),
    help="How many threads of Python the process has.",
)
PROCESS_START: Final = Metric(
    name="process.start_time",
    kind=MetricKind.GAUGE,
    unit="s",
    labels=(),
    help="When the process began, in seconds since 1970.",
    across=Across.MIN,
)
READY: Final = Metric(
    name="process.ready",
    kind=MetricKind.GAUGE,
    unit="1",
    labels=(),
    help="1 once the process has started and until it is told to stop, else 0.",
)
LINES_DROPPED: Final = Metric(
    name="log.lines_dropped",
    kind=MetricKind.COUNTER,
    unit="{line}",
    labels=(),
    help="How many log lines were dropped, because nobody read them.",
)
BUILD_INFO: Final = Metric(
    name="build.info",
    kind=MetricKind.GAUGE,
    unit="1",
    labels=("project", "environment", "fastforge", "python"),
    help="1; what runs here is in the labels.",
    across=Across.MAX,
)
