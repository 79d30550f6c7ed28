"""Globals: what OpenTelemetry's global interface leads to in a process with projects of ours.

The global provider can be set once in a process, and two projects may run in one. So what is set
belongs to none of them: a library that asks it for a tracer is given one that begins its spans
with the project whose request, job or command runs at that moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider, Span, Tracer
from opentelemetry.util._decorator import _agnosticcontextmanager

from ...exceptions import ContainerMissing
from ...lifecycle import current_container

__all__ = ["leads_global_tracers", "providers_of_projects"]

_FASTAPI: Final = "fastapi"
_NOBODY: Final = NoOpTracerProvider()
_open: Final[list[trace.TracerProvider]] = []


@contextmanager
def providers_of_projects(provider: trace.TracerProvider) -> Iterator[None]:
    """Let the global interface lead to a provider while its project runs.

    Where somebody else has set the global provider, it stays: that is a program's own decision.
    """
    if isinstance(trace.get_tracer_provider(), ProxyTracerProvider):  # nobody has set it
        trace.set_tracer_provider(_Forwarding())
    _open.append(provider)
    try:
        yield
    finally:
        _open.remove(provider)


def leads_global_tracers() -> bool:
    """Return whether spans of OpenTelemetry's global interface go to our projects."""
    return isinstance(trace.get_tracer_provider(), _Forwarding)


class _Forwarding(trace.TracerProvider):
    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Any = None,
    ) -> Tracer:
        return _ForwardingTracer(
            instrumenting_module_name, instrumenting_library_version, schema_url, attributes
        )


class _ForwardingTracer(Tracer):
    def __init__(self, *of: Any) -> None:
        self._of = of
        self._latest: tuple[trace.TracerProvider, Tracer] | None = None

    def start_span(self, *arguments: Any, **options: Any) -> Span:
        return self._here().start_span(*arguments, **options)

    # Their own decorator: only by it a span lasts as long as an async function that it decorates.
    @_agnosticcontextmanager
    def start_as_current_span(self, *arguments: Any, **options: Any) -> Iterator[Span]:
        with self._here().start_as_current_span(*arguments, **options) as span:
            yield span

    def _here(self) -> Tracer:
        provider, latest = _provider_here(self._of[0]), self._latest
        if latest is None or latest[0] is not provider:
            self._latest = latest = provider, provider.get_tracer(*self._of)
        return latest[1]


def _provider_here(library: str) -> trace.TracerProvider:
    try:
        tracing = current_container().tracing
    except ContainerMissing:  # in a thread of its own, say
        # FastAPI asks before any project is entered, for an application that none of them traces.
        return _open[-1] if _open and library != _FASTAPI else _NOBODY
    return _NOBODY if tracing is None else getattr(tracing, "provider", _NOBODY)
