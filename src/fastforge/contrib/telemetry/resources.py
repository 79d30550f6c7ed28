"""The resource `telemetry`: what traces one process, opened before all others and closed last."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager

from ...conf import Settings
from ...lifecycle import Container, current_container, resource
from ...observability.metrics import exporting, snapshot
from ...observability.tracing import open_tracers
from ...web.settings import Health
from .globals import providers_of_projects
from .library import ReadableSpan, Resource
from .measuring import Reading, encoder
from .outbox import Outbox
from .plan import Plan, plan_or_refuse, resource_attributes
from .sending import Sender
from .spans import SpanOutbox, encoded
from .state import ExportState
from .tracing import ProjectTracing

__all__ = ["telemetry"]

CLOSE_LIMIT_S = 5.0


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
            resource = Resource.create(dict(resource_attributes(plan, container.settings)))
            # Before what is traced, and so closed after it: the last spans are counted too.
            if plan.metrics_url:
                _measure(container, plan, resource, stack)
            if plan.traces_url:
                _trace(container, plan, resource, stack)
        yield plan


def _trace(container: Container, plan: Plan, resource: Resource, stack: AsyncExitStack) -> None:
    config = plan.config
    sender = _sender(plan, plan.traces_url)
    outbox = Outbox[ReadableSpan](
        sender,
        ExportState("spans", sender.target),
        encoded,
        size=config.queue_size,
        batch_size=config.batch_size,
        interval_s=config.export_interval_s,
        timeout_s=config.export_timeout_s,
    )
    outbox.open()
    stack.push_async_callback(outbox.close, config.flush_timeout_s)
    tracing = ProjectTracing(
        resource,
        SpanOutbox(outbox),
        sample_ratio=plan.sample_ratio,
        operation_spans=config.operation_spans,
        exclude=(*config.exclude, *_probes(container.settings)),
        answer_header=config.answer_header,
    )
    stack.enter_context(providers_of_projects(tracing.provider))
    stack.enter_context(_traced(container, tracing))


def _measure(container: Container, plan: Plan, resource: Resource, stack: AsyncExitStack) -> None:
    config = plan.config
    sender = _sender(plan, plan.metrics_url)
    outbox = Outbox[Reading](
        sender,
        ExportState("metrics", sender.target),
        encoder(resource),
        size=1,
        batch_size=1,
        interval_s=config.metrics_interval_s,
        timeout_s=config.export_timeout_s,
        read=lambda: (time.time_ns(), snapshot(container)),
    )
    stack.enter_context(exporting(container))
    outbox.open()
    stack.push_async_callback(outbox.close, config.flush_timeout_s)


@contextmanager
def _traced(container: Container, tracing: ProjectTracing) -> Iterator[None]:
    container.tracing = tracing
    open_tracers.append(tracing.tracer)
    try:
        yield
    finally:
        open_tracers.remove(tracing.tracer)
        container.tracing = None


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
