"""Source: what somebody knows anyway, asked for when metrics are read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, overload

from ...components import Kind
from ...exceptions import ComponentError, Location
from .metric import Histogram, Metric, MetricKind

__all__ = ["METRIC_SOURCES", "MetricSource", "Sample", "metric_source", "value_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The value of one metric with one set of labels.

    Args:
        metric: What is measured.
        labels: The values of `metric.labels`, in their order.
        value: A number; of a histogram a `Histogram`, whose counts are not cumulated.
    """

    metric: Metric
    value: float | Histogram
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSource:
    """Gives samples when metrics are read.

    Args:
        name: Unique in the project; the function's name behind that of its module's app.
        function: Is given the running project, and returns its samples.
        every_s: How often an async one is asked, in seconds; 0 for one that is not async.
        roles: The kinds of process in which it is asked; all unless given.
    """

    name: str
    function: Callable[[Any], Any]
    every_s: float = 0
    roles: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"<MetricSource({self.name})>"


@overload
def metric_source(function: Callable[[Any], Iterable[Sample]], /) -> MetricSource: ...
@overload
def metric_source(
    *, name: str = ..., every_s: float = ..., roles: Iterable[str] = ...
) -> Callable[[Callable[[Any], Any]], MetricSource]: ...
def metric_source(
    function: Any = None,
    /,
    *,
    name: str = "",
    every_s: float = 30,
    roles: Iterable[str] = (),
) -> Any:
    """Declare a source of metrics, in an app's `metrics.py`.

    It is asked whenever metrics are read: by whatever thread reads them, also while the event loop
    is blocked. So it looks at numbers that are there, and waits for nothing. One that has to ask
    somebody is an async function: it runs on the event loop every `every_s` seconds, and what it
    has returned last is read.

    ```python
    CARTS = Metric(
        name="shop.carts", kind=MetricKind.GAUGE, unit="{cart}", labels=(), help="Open carts."
    )

    @metric_source
    def carts(container: Container) -> Iterator[Sample]:
        yield Sample(metric=CARTS, value=len(container[cart_store]))
    ```

    Surprises: the module is imported when somebody first exports metrics. One that raises is left
    out of that reading, with one line in the log.

    Args:
        name: Unique in the project; the function's name unless given.
        every_s: How often an async one is asked, in seconds.
        roles: The kinds of process in which it is asked; all unless given.

    Raises:
        ComponentError: It decorates something else than a function.
    """

    def declare(function: Callable[[Any], Any]) -> MetricSource:
        if not inspect.isfunction(function):
            raise ComponentError(
                f"the metric source {function!r} is not a function",
                code="metrics.E001",
                hint="write `def` with one parameter, the container, and yield Sample(...)",
                where=Location.of(function),
            )
        return MetricSource(
            name=name or function.__name__,
            function=function,
            every_s=every_s if inspect.iscoroutinefunction(function) else 0,
            roles=frozenset(roles),
        )

    return declare if function is None else declare(function)


METRIC_SOURCES: Final[Kind[MetricSource]] = Kind(
    name="metric_sources",
    type=MetricSource,
    module="metrics",
    key=lambda source: source.name,
    home=lambda source: source.function,
    deferred=True,
)


def value_in(metric: Metric, cells: Sequence[float]) -> float | Histogram:
    """Return the value that the numbers of a series mean."""
    if metric.kind is not MetricKind.HISTOGRAM:
        return cells[0]
    counts = tuple(int(count) for count in cells[:-1])
    return Histogram(bounds=metric.bounds, counts=counts, sum=cells[-1])
