"""Tracing: what a running project is traced by."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import Tracer

from ... import __version__
from ...observability.tracers import EndOfAttempt, JobAttempt
from ...observability.tracing import Attributes
from .jobs import attempt_span
from .library import Resource, SpanProcessor, TracerProvider
from .messages import message_span
from .requests import RequestTraces, is_below
from .sampling import Sample

__all__ = ["ProjectTracing"]

_NAME: Final = "fastforge"


class ProjectTracing:
    """What traces the requests and jobs of one project, with a provider of its own.

    Args:
        resource: What is known of the process.
        processor: Hears of the spans that end.
        sample_ratio: How much is recorded of what nobody else has decided about.
        operation_spans: Whether FastAPI adds spans of its own steps.
        exclude: Paths that are not traced, nor what is below them.
        answer_header: Whether answers tell of their trace.

    Attributes:
        provider: Gives tracers; a library that takes one can be given it.
        tracer: Begins the spans of our own code.
    """

    def __init__(
        self,
        resource: Resource,
        processor: SpanProcessor,
        *,
        sample_ratio: float,
        operation_spans: bool,
        exclude: Sequence[str],
        answer_header: bool,
    ) -> None:
        self._sample = Sample(sample_ratio)
        self.provider = TracerProvider(
            sampler=self._sample.sampler,
            resource=resource,
            shutdown_on_exit=False,  # its resource does it, in its turn
            id_generator=self._sample,
            meter_provider=NoOpMeterProvider(),
        )
        self.provider.add_span_processor(processor)
        self.tracer: Tracer = self.provider.get_tracer(_NAME, __version__)
        self._operation_spans = operation_spans
        self._exclude = exclude
        self._answer_header = answer_header

    def requests(self, native: Any) -> RequestTraces:
        """Return what traces the requests of an application.

        Args:
            native: FastAPI's telemetry of the application. It is not changed: what it was told of
                requests that are not looked at holds.
        """
        config = {
            **native.config,
            "tracer_provider": self.provider,
            "tracing": True,
            "metrics": False,  # ours are made of what is counted anyway
            "logs": False,  # ours are lines
            "operation_spans": self._operation_spans,
        }
        return RequestTraces(
            type(native)(config),
            tracer=self.tracer,
            sample=self._sample,
            excluded=is_below(self._exclude),
            has_header=self._answer_header,
        )

    def job(self, attempt: JobAttempt) -> AbstractContextManager[EndOfAttempt]:
        """Return a context manager: what runs inside is an attempt at a job."""
        return attempt_span(self.tracer, self._sample, attempt)

    def message(self, name: str, attributes: Attributes) -> AbstractContextManager[None]:
        """Return a context manager: what runs inside is about a message of a socket's client."""
        return message_span(self.tracer, self._sample, name, attributes)
