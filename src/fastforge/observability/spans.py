"""Spans: the OpenTelemetry span that is current here, asked for without importing OpenTelemetry."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["current_span_context", "span_ids"]


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
