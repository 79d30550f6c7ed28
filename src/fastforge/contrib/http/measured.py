"""Measured: how long other services take to answer, by their hosts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ...lifecycle.container import container_here
from ...observability.events import HTTP_CLIENT_DURATION
from ...observability.metrics.demand import is_exported
from ...observability.metrics.meter import meter_of
from ...observability.metrics.requests import METHODS, OTHER_METHOD
from .library import httpx

__all__ = ["Measured", "measuring"]


class Measured:
    """One call.

    Attributes:
        status: That of the answer; empty for a call that has none.
    """

    status = ""

    def answered(self, response: httpx.Response) -> None:
        """Hear that the answer has begun."""
        self.status = str(response.status_code)


@contextmanager
def measuring(request: httpx.Request, *, host: str = "") -> Iterator[Measured]:
    """Count a call, also one that fails, if somebody exports what is measured.

    Surprises: a project that calls addresses which others give it has as many hosts as they like;
    beyond the limit of the metric they are counted as one.

    Args:
        request: The call.
        host: What stands for its host in the metric.
    """
    began, measured = time.perf_counter(), Measured()
    try:
        yield measured
    finally:
        container = container_here.get(None)
        if container is not None and is_exported(container):
            method = request.method if request.method in METHODS else OTHER_METHOD
            labels = method, host or request.url.host, measured.status
            duration_s = time.perf_counter() - began
            meter_of(container).record(HTTP_CLIENT_DURATION, *labels, value=duration_s)
