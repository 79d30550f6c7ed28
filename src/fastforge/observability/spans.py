"""Spans: the OpenTelemetry span that is current here, asked for without importing OpenTelemetry."""

from __future__ import annotations

import sys
from typing import Any, Final

__all__ = ["current_span_context", "open_tracers", "somebody_traces", "span_ids"]

open_tracers: Final[list[Any]] = []
"""What traces the projects that run in this process, the latest last."""


def somebody_traces() -> bool:
    """Return whether there may be a span: whoever asks for each request asks this first."""
    if open_tracers:
        return True
    # A provider of the whole process, of somebody else's. The name is private: without it, perhaps.
    tracing = sys.modules.get("opentelemetry.trace")
    return tracing is not None and getattr(tracing, "_TRACER_PROVIDER", tracing) is not None


def current_span_context() -> Any:
    """Return the context of the current span; None where there is none, or nobody traces."""
    tracing = sys.modules.get("opentelemetry.trace")
    if tracing is None:
        return None
    span = tracing.get_current_span()
    if span is tracing.INVALID_SPAN:  # as most often: each line of a request asks
        return None
    context = span.get_span_context()
    return context if context.is_valid else None


def span_ids() -> tuple[str, str] | None:
    """Return the ids of the current trace and span, in hex, as log lines have them."""
    span = current_span_context()
    return None if span is None else (f"{span.trace_id:032x}", f"{span.span_id:016x}")
