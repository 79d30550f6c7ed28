"""OpenTelemetry's SDK and its protobuf encoders, or the line that installs them."""

from __future__ import annotations

from ..._utils import missing_extra

try:
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.metrics import export as points
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
except ImportError as error:
    raise missing_extra("telemetry", "opentelemetry-exporter-otlp-proto-http") from error

__all__ = [
    "Event",
    "InstrumentationScope",
    "ParentBased",
    "RandomIdGenerator",
    "ReadableSpan",
    "Resource",
    "SpanProcessor",
    "TraceIdRatioBased",
    "TracerProvider",
    "encode_metrics",
    "encode_spans",
    "points",
]
