"""Requests: what is recorded of them, decided before FastAPI's telemetry begins to look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from opentelemetry import context as contexts
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, Tracer

from ...observability.tracing import tracer_here, valid_traceparent
from .sampling import Sample

__all__ = ["RequestTraces", "is_below"]

_SEEN: Final = "fastapi.telemetry"
"""The key by which applications of FastAPI know that a scope is looked after."""
_TRACEPARENT: Final = b"traceparent"
_BEGINNINGS: Final = frozenset(
    {"http.response.start", "websocket.accept", "websocket.http.response.start"}
)
_RANDOM: Final = TraceFlags(TraceFlags.RANDOM_TRACE_ID)
_RECORDED: Final = frozenset("13579bdf")
"""How the flags of a traceparent end where whoever calls has recorded it."""


class RequestTraces:
    """Stands in the place of FastAPI's telemetry for one application.

    A request that is not recorded has a trace all the same: its lines and what it calls have
    the trace's id.

    Args:
        native: FastAPI's telemetry, which records what is recorded.
        tracer: For the spans inside it.
        sample: Decides.
        excluded: Tells of a path whether it is not looked at.
        has_header: Whether answers of what is recorded have the header `traceresponse`.
    """

    def __init__(
        self,
        native: Callable[..., Awaitable[None]],
        *,
        tracer: Tracer,
        sample: Sample,
        excluded: Callable[[str], bool],
        has_header: bool,
    ) -> None:
        self._native = native
        self._tracer = tracer
        self._sample = sample
        self._excluded = excluded
        self._has_header = has_header
        self._is_plain = {*propagate.get_global_textmap().fields} <= _W3C

    async def __call__(
        self, *, app: Any, scope: Any, receive: Any, send: Any, legacy_otel: bool = False
    ) -> None:
        root_path: str = scope.get("root_path", "")
        path: str = scope["path"]
        if self._excluded(path.removeprefix(root_path) if root_path else path):
            return await _unseen(app, scope, receive, send)
        caller = self._caller(scope)
        if caller is None:
            trace_id = self._sample.draw()
            is_recorded = self._sample.is_recorded(trace_id)
        else:
            trace_id, is_recorded = caller
        if not is_recorded:
            return await self._unrecorded(trace_id, app, scope, receive, send)
        if caller is None:
            self._sample.use(trace_id)
        token = tracer_here.set(self._tracer)
        try:
            await self._native(
                app=self._inside(app),
                scope=scope,
                receive=receive,
                send=send,
                legacy_otel=legacy_otel,
            )
        finally:
            tracer_here.reset(token)

    def _caller(self, scope: Any) -> tuple[int, bool] | None:
        """Return the trace that a request is a part of, and whether that is recorded."""
        if not self._is_plain:  # OTEL_PROPAGATORS names other headers
            span = trace.get_current_span(_extracted(scope)).get_span_context()
            return (span.trace_id, span.trace_flags.sampled) if span.is_valid else None
        found = [value for name, value in scope["headers"] if name == _TRACEPARENT]
        header = valid_traceparent(found[0].decode("latin-1")) if len(found) == 1 else None
        return None if header is None else (int(header[3:35], 16), header[-1] in _RECORDED)

    async def _unrecorded(self, trace_id: int, app: Any, scope: Any, *rest: Any) -> None:
        span_id = self._sample.generate_span_id()
        here = SpanContext(trace_id, span_id, is_remote=False, trace_flags=_RANDOM)
        token = contexts.attach(trace.set_span_in_context(NonRecordingSpan(here)))
        try:
            await _unseen(app, scope, *rest)
        finally:
            contexts.detach(token)

    def _inside(self, app: Any) -> Callable[..., Awaitable[None]]:
        """Return the application, with what its edge knows told to the span around it."""

        async def traced(scope: Any, receive: Any, send: Any) -> None:
            span = trace.get_current_span()

            async def telling(message: Any) -> None:
                if message["type"] in _BEGINNINGS:
                    _identify(span, scope)
                    if self._has_header:
                        message["headers"] = [*message.get("headers", ()), _answer(span)]
                await send(message)

            try:
                await app(scope, receive, telling)
            finally:
                if span.is_recording():
                    _identify(span, scope)

        return traced


_W3C: Final = frozenset({"traceparent", "tracestate", "baggage"})


def is_below(paths: Iterable[str]) -> Callable[[str], bool]:
    """Return what tells whether a path is one of these, or below one."""
    exact = frozenset(path.rstrip("/") or "/" for path in paths)
    below = tuple(f"{path}/" for path in exact if path != "/")

    def excluded(path: str) -> bool:
        return path in exact or path.startswith(below)

    return excluded


async def _unseen(app: Any, scope: Any, receive: Any, send: Any) -> None:
    scope[_SEEN] = None  # nor do applications that are mounted in this one look at it
    try:
        await app(scope, receive, send)
    finally:
        scope.pop(_SEEN, None)


def _extracted(scope: Any) -> Context:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    return propagate.extract(headers, Context())


def _identify(span: Span, scope: Any) -> None:
    request_id = scope.get("state", {}).get("request_id")
    if request_id is not None:
        span.set_attribute("request_id", request_id)


def _answer(span: Span) -> tuple[bytes, bytes]:
    here = span.get_span_context()
    flags = int(here.trace_flags)
    value = f"00-{here.trace_id:032x}-{here.span_id:016x}-{flags:02x}"
    return b"traceresponse", value.encode()
