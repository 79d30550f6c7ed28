"""The resource `telemetry`: what traces one process, opened before all others and closed last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, Final

from ...conf import Settings
from ...lifecycle import Container, current_container, resource
from ...observability.metrics import exporting
from ...observability.tracing import open_tracers
from ...web.settings import Health
from .globals import providers_of_projects
from .library import ReadableSpan, Resource
from .measuring import Reading, Readings, encoder
from .outbox import Outbox
from .plan import Plan, plan_or_refuse, resource_attributes
from .sending import Sender
from .spans import SpanOutbox, encoded
from .state import ExportState
from .tracing import ProjectTracing

__all__ = ["telemetry"]

CLOSE_LIMIT_S: Final = 5.0
"""Above what TELEMETRY.flush_timeout_s may be."""


@resource(opens_first=True, close_timeout_s=CLOSE_LIMIT_S)
async def telemetry() -> AsyncIterator[Plan]:
    """Trace what runs in this process, and send it; each process does so for itself.

    Nothing is connected here: a collector that is away, slow or refuses delays no start and no
    request, and the end of a process by `flush_timeout_s` at most.

    Raises:
        SettingsError: A variable of OpenTelemetry's and TELEMETRY contradict each other.
    """
    container = current_container()
    plan = plan_or_refuse(container.settings)
    async with AsyncExitStack() as stack:
        if plan.is_wanted:
            setup = _Setup(container, plan, stack)
            resource = await asyncio.to_thread(_described, plan, container.settings)
            # The first to be closed is the last that is opened: nothing is put into an outbox then.
            stack.push_async_callback(setup.close)
            if plan.metrics_url:
                await setup.measure(resource)
            if plan.traces_url:
                await setup.trace(resource)
        yield plan


class _Setup:
    """What is set up for one process."""

    def __init__(self, container: Container, plan: Plan, stack: AsyncExitStack) -> None:
        self._container = container
        self._plan = plan
        self._stack = stack
        self._outboxes: list[Outbox[Any]] = []

    async def trace(self, resource: Resource) -> None:
        config, settings = self._plan.config, self._container.settings
        sender = await asyncio.to_thread(_sender, self._plan, self._plan.traces_url)
        outbox = Outbox[ReadableSpan](
            sender,
            ExportState("spans", sender.target),
            encoded,
            size=config.queue_size,
            batch_size=config.batch_size,
            interval_s=config.export_interval_s,
            timeout_s=config.export_timeout_s,
        )
        self._open(outbox)
        tracing = ProjectTracing(
            resource,
            SpanOutbox(outbox),
            sample_ratio=self._plan.sample_ratio,
            operation_spans=config.operation_spans,
            exclude=(*config.exclude, *_probes(settings)),
            answer_header=config.answer_header,
        )
        self._stack.enter_context(providers_of_projects(tracing.provider))
        self._stack.enter_context(_traced(self._container, tracing))

    async def measure(self, resource: Resource) -> None:
        config = self._plan.config
        sender = await asyncio.to_thread(_sender, self._plan, self._plan.metrics_url)
        readings = Readings(self._container)
        self._stack.enter_context(exporting(self._container))
        self._open(
            Outbox[Reading](
                sender,
                ExportState("metrics", sender.target),
                encoder(resource),
                size=1,
                batch_size=1,
                interval_s=config.metrics_interval_s,
                timeout_s=config.export_timeout_s,
                read=readings.read,
            )
        )
        watching = asyncio.create_task(readings.read_before_the_end())
        self._stack.callback(watching.cancel)

    async def close(self) -> None:
        """Send what is left of everything, side by side, within one time limit."""
        limit_s = self._plan.config.flush_timeout_s
        await asyncio.gather(*(outbox.close(limit_s) for outbox in self._outboxes))

    def _open(self, outbox: Outbox[Any]) -> None:
        outbox.open()
        self._outboxes.append(outbox)


@contextmanager
def _traced(container: Container, tracing: ProjectTracing) -> Iterator[None]:
    container.tracing = tracing
    open_tracers.append(tracing.tracer)
    try:
        yield
    finally:
        open_tracers.remove(tracing.tracer)
        container.tracing = None


def _described(plan: Plan, settings: Settings) -> Resource:
    """Return what this process is; it reads files, and so do the SDK's own detectors."""
    return Resource.create(dict(resource_attributes(plan, settings)))


def _sender(plan: Plan, url: str) -> Sender:
    return Sender(
        url,
        headers=plan.config.headers,
        compression=plan.config.compression,
        certificates=plan.told.certificates,
    )


def _probes(settings: Settings) -> list[str]:
    """Return the paths by which a platform asks, every second, whether the process is well."""
    health = settings.section(Health)
    paths = [
        getattr(health, field) for field in type(health).model_fields if field.endswith("_path")
    ]
    return [path for path in paths if path]
