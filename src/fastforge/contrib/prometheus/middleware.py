"""The layer that shows the page on the application's own port, where PROMETHEUS.path says so."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from ...exceptions import ContainerMissing
from ...lifecycle import current_container
from ...middleware.deadline import leave_out
from ...web.middleware import Middleware, Slot
from .resources import metrics_exporter
from .settings import Prometheus

__all__ = ["METRICS_PATH", "MetricsPath"]


class MetricsPath:
    """Answers at one path, and does not count that; else it is not there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine of its own: it would cost every request.
        page = self._page(scope) if scope["type"] == "http" else None
        return (page or self.app)(scope, receive, send)

    def _page(self, scope: Scope) -> ASGIApp | None:
        try:
            container = current_container()
        except ContainerMissing:
            return None
        path = container.settings.section(Prometheus).path
        if not path or scope["path"] != f"{scope.get('root_path', '')}{path}":
            return None
        leave_out(scope)
        return container[metrics_exporter].page


METRICS_PATH: Final = Middleware(MetricsPath, slot=Slot.ROUTER)
