"""Requests: how many there are of each route, how they end and how long they take."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from .meter import Meter, Series
from .of_requests import HTTP_DURATION, HTTP_RESPONSE_SIZE

__all__ = ["METHODS", "OTHER_METHOD", "UNMATCHED", "RequestMeter"]

UNMATCHED: Final = "__unmatched__"
"""Stands for the route of a request that no route was found for."""
OTHER_METHOD: Final = "__other__"
"""Stands for each method that HTTP does not know."""
NO_STATUS: Final = ""
METHODS: Final = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY")
)
_BOUNDS: Final = HTTP_DURATION.bounds
_SIZES: Final = HTTP_RESPONSE_SIZE.bounds


class RequestMeter:
    """Counts requests, on the event loop alone.

    Args:
        meter: Where the values are kept.
    """

    __slots__ = ("_meter", "_series", "_sizes")

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._sizes = meter.series(HTTP_RESPONSE_SIZE)
        self._series: dict[tuple[str, str | None, int | None], Series] = {}

    def record(
        self,
        method: str,
        route: str | None,
        status_code: int | None,
        duration_s: float,
        size_bytes: int,
    ) -> None:
        """Count a request that has ended.

        Args:
            method: Its method.
            route: The template of its route, if there is one.
            status_code: The status of the answer, if there was one.
            duration_s: How long it took, in seconds.
            size_bytes: The size of the answer's body.
        """
        # Every request pays for this.
        series = self._series.get((method, route, status_code))
        if series is None:
            series = self._found(method, route, status_code)
        cells = series.cells
        cells[bisect_left(_BOUNDS, duration_s)] += 1
        cells[-1] += duration_s
        sizes = self._sizes.cells
        sizes[bisect_left(_SIZES, size_bytes)] += 1
        sizes[-1] += size_bytes

    def _found(self, method: str, route: str | None, status_code: int | None) -> Series:
        is_known = method in METHODS
        status = NO_STATUS if status_code is None else str(status_code)
        labels = (method if is_known else OTHER_METHOD, route or UNMATCHED, status)
        series = self._meter.series(HTTP_DURATION, *labels)
        if is_known and series.labels == labels:  # else there is no end of them
            self._series[method, route, status_code] = series
        return series
