"""Spans: the OpenTelemetry span that is current here, asked for without importing OpenTelemetry."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["current_span_context", "span_ids"]


def current_span_context() -> Any:
    """Return the context of the current span; None where there is none, or nobody traces."""
    current = getattr(sys.modules.get("opentelemetry.trace"), "get_current_span", None)
    if current is None:
        return None
    span = current().get_span_context()
    return span if span.is_valid else None


def span_ids() -> tuple[str, str] | None:
    """Return the ids of the current trace and span, in hex, as log lines have them."""
    span = current_span_context()
    return None if span is None else (f"{span.trace_id:032x}", f"{span.span_id:016x}")
