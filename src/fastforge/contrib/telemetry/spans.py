"""Spans: as they leave the process, without what may be secret.

It is done in the thread that sends them, for all spans alike: those of FastAPI, ours, and those of
libraries that know nothing of secrets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from ...observability.paths import masked_path
from ...observability.redaction import MASK, is_sensitive, redacted_text
from .library import Event, ReadableSpan, SpanProcessor, encode_spans
from .outbox import Outbox

__all__ = ["SpanOutbox", "encoded"]

_PATH: Final = "url.path"
_QUERY: Final = "url.query"
_WHOLE_URLS: Final = frozenset({"url.full", "http.url", "url.original"})
_LONGEST: Final = 4096


class SpanOutbox(SpanProcessor):
    """Puts each recorded span into an outbox when it ends.

    Args:
        outbox: Where to.
    """

    def __init__(self, outbox: Outbox[ReadableSpan]) -> None:
        self._outbox = outbox

    def on_end(self, span: ReadableSpan) -> None:
        """Hear that a span has ended."""
        if span.context is not None and span.context.trace_flags.sampled:
            self._outbox.put(span)


def encoded(spans: Sequence[ReadableSpan]) -> bytes:
    """Return spans as OTLP has them, redacted."""
    body: bytes = encode_spans([_redacted(span) for span in spans]).SerializeToString()
    return body


def _redacted(span: ReadableSpan) -> ReadableSpan:
    status = span.status
    if status.description:
        status = type(status)(status.status_code, redacted_text(status.description))
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_attributes(span.attributes),
        events=[
            Event(event.name, attributes=_attributes(event.attributes), timestamp=event.timestamp)
            for event in span.events
        ],
        links=span.links,
        kind=span.kind,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    shown = {name: _value(name, value) for name, value in (attributes or {}).items()}
    if isinstance(shown.get(_PATH), str):
        shown[_PATH] = masked_path(shown[_PATH], shown.get("http.route"))
    return shown


def _value(name: str, value: Any) -> Any:
    if isinstance(value, (bool, int, float)):
        return value
    if is_sensitive(name):
        return MASK
    if isinstance(value, str):
        if name == _QUERY:
            return _query(value)
        if name in _WHOLE_URLS:
            return _url(value)
        return redacted_text(value[:_LONGEST])
    if isinstance(value, (list, tuple)):
        return [_value("", each) for each in value]
    return value


def _query(text: str) -> str:
    """Return a query string with the names of all its parameters, and no value that is secret."""
    pairs = parse_qsl(text, keep_blank_values=True)
    shown = [(name, MASK if is_sensitive(name) else redacted_text(value)) for name, value in pairs]
    return urlencode(shown, safe="*")


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        return MASK
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(
        netloc=host, query=_query(parts.query), path=redacted_text(parts.path)
    ).geturl()
