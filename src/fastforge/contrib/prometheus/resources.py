"""The resource `metrics_exporter`: the metrics of this process can be read while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from ...lifecycle import Role, current_container, resource, section
from ...observability.metrics import exporting
from .exporter import Exporter
from .settings import Prometheus

__all__ = ["metrics_exporter"]


@resource(roles={Role.WEB, Role.WORKER})
async def metrics_exporter(
    config: Annotated[Prometheus, section(Prometheus)],
) -> AsyncIterator[Exporter]:
    """Count, and show what is counted; in the environment `test` there is no port and no file."""
    container = current_container()
    exporter = Exporter(container, config)
    is_test = container.settings.environment == "test"
    with exporting(container):
        if not is_test:
            await asyncio.to_thread(exporter.open)
        try:
            yield exporter
        finally:
            if not is_test:
                await asyncio.to_thread(exporter.close)
