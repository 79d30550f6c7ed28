"""The layer that shows the page on the application's own port, where PROMETHEUS.path says so."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from ...lifecycle.container import container_here
from ...middleware.deadline import leave_out
from ...web.middleware import Middleware, Slot
from .resources import metrics_exporter
from .settings import Prometheus

__all__ = ["METRICS_PATH", "MetricsPath"]


class MetricsPath:
    """Answers at one path, and lets that be counted nowhere; else it is not there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._path: str | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine of its own: it would cost every request.
        if self._path is None:
            self._path = _path_here()
        page = self._page(scope) if self._path else None
        return (page or self.app)(scope, receive, send)

    def _page(self, scope: Scope) -> ASGIApp | None:
        container = container_here.get(None)
        if scope["type"] != "http" or container is None:
            return None
        if scope["path"] != f"{scope.get('root_path', '')}{self._path}":
            return None
        leave_out(scope)
        return container[metrics_exporter].page


def _path_here() -> str | None:
    container = container_here.get(None)
    return None if container is None else container.settings.section(Prometheus).path


METRICS_PATH: Final = Middleware(MetricsPath, slot=Slot.ROUTER)
