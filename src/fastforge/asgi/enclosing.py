"""Enclosing: the edge around an application, and the project's life around its lifespan."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from ..core.reach import refuse_several
from ..exceptions import ForgeError
from ..lifecycle import Container, Role
from ..middleware.edge import Edge, EdgeState
from ..middleware.state import edge_states
from ..observability.access import access_log_of
from ..observability.logging.projects import project_logging
from ..observability.metrics.demand import is_exported
from ..project import Project
from ..signals import overheard_signals
from ..web.errors.resolution import ErrorFormats
from .building import Unbuilt, built
from .policy import edge_policy
from .telemetry import lead_telemetry

__all__ = ["enclose", "is_enclosed"]


def enclose(app: FastAPI, project: Project, formats: ErrorFormats) -> None:
    """Put the edge around the application, and the project's life around its lifespan."""
    state = EdgeState()
    access_log = access_log_of(project.settings)
    build, inner = app.build_middleware_stack, app.router.lifespan_context

    def build_middleware_stack() -> Edge:
        layers = built(build)
        state.failure = layers.failure if isinstance(layers, Unbuilt) else None
        policy = edge_policy(
            project,
            app,
            running=lambda: state.container,
            has_started=lambda: state.has_started,
            formats=formats,
            access_log=access_log,
        )
        return Edge(layers, state, policy)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        state.has_started = False
        async with _running(project, state), inner(app) as values:
            state.has_started = True
            yield values

    lead_telemetry(app, lambda: state.container)
    # On the instance: late routes, middleware and handlers of the user's still count, and the
    # object stays the FastAPI that every tool knows.
    app.build_middleware_stack = build_middleware_stack  # type: ignore[method-assign]
    app.router.lifespan_context = lifespan


def is_enclosed(app: FastAPI) -> bool:
    """Return whether an application is a project's already."""
    return app.build_middleware_stack.__module__ == __name__


@asynccontextmanager
async def _running(project: Project, state: EdgeState) -> AsyncIterator[None]:
    state.failure = None
    try:
        with project_logging(project.settings, "web"):
            refuse_several(project)
            async with project.running(Role.WEB) as container:
                state.container = container
                _measure(state, container)
                with overheard_signals(container.drain):
                    yield
    except ForgeError as error:
        state.failure = error
        raise
    finally:
        state.container = state.requests = None


def _measure(state: EdgeState, container: Container) -> None:
    """Let requests be counted, if a resource exports what is measured."""
    edge_states[container] = state
    if is_exported(container):
        from ..observability.metrics.meter import meter_of
        from ..observability.metrics.requests import RequestMeter

        state.requests = RequestMeter(meter_of(container))
