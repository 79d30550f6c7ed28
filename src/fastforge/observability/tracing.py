"""Tracing: the trace that what runs here is a part of, in the form of W3C Trace Context."""

from __future__ import annotations

import re
from typing import Final

from .context import request_headers, traceparent
from .spans import current_span_context

__all__ = ["trace_here", "valid_traceparent"]

_HEADER: Final = b"traceparent"
# Later versions may append something to these four parts.
_FORM: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})"
    r"(?P<parts>-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})"
    r"(?P<rest>-.*)?"
)
_UNUSABLE: Final = "ff"
_OURS: Final = "00"


def trace_here() -> str | None:
    """Return the trace that what runs here is a part of, as the header `traceparent` has it.

    That of the current OpenTelemetry span, where the program uses OpenTelemetry; else that of the
    job that runs here; else the one that came with the request.
    """
    return _span_here() or traceparent.get() or _trace_of_request()


def valid_traceparent(text: str) -> str | None:
    """Return a header that somebody sent as we pass it on; None for one that means nothing.

    >>> valid_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or found["version"] == _UNUSABLE:
        return None
    if found["version"] == _OURS and found["rest"]:
        return None
    return f"{_OURS}{found['parts']}"


def _span_here() -> str | None:
    """Return the current span's, if somebody has imported OpenTelemetry."""
    span = current_span_context()
    if span is None:
        return None
    return f"{_OURS}-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


def _trace_of_request() -> str | None:
    found = [value for name, value in request_headers.get() if name == _HEADER]
    if len(found) != 1:  # two of them mean none
        return None
    return valid_traceparent(found[0].decode("latin-1"))
