"""ASGI: a project as a FastAPI application, for any server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from . import __version__
from .core.identity import LABEL
from .core.services import where_jobs_run
from .exceptions import ComponentError, ForgeError
from .lifecycle import Role
from .middleware.edge import Edge, EdgeState
from .project import Project
from .web.errors import add_exception_handlers
from .web.kinds import MIDDLEWARE, ROUTERS
from .web.middleware import Middleware, Slot
from .web.routing import mount_routers

__all__ = ["get_asgi_application"]


def get_asgi_application(
    project: Project | None = None,
    *,
    app: FastAPI | None = None,
    settings_module: str | None = None,
) -> FastAPI:
    """Return the application of a project: its routers, middleware, resources and error answers.

    ```python
    # shop/asgi.py
    from fastforge.asgi import get_asgi_application

    app = get_asgi_application()
    ```

    Surprises: nothing is opened before the server starts the application's lifespan. An
    application given as `app` is changed and returned: its routes, handlers, middleware and
    lifespans stay, ours go around them.

    Args:
        project: The project; loaded when it is not given.
        app: An application that exists already.
        settings_module: The dotted name of the settings, when the project has to be loaded;
            else `FASTFORGE_SETTINGS_MODULE` or `pyproject.toml` says it.

    Raises:
        ComponentError: Two routes clash, a middleware cannot be imported, or `app` is serving.
        ForgeError: The project cannot be loaded.
    """
    _refuse_serving(app)
    project = project or Project.load(settings_module)
    if app is None:
        app = FastAPI(title=project.name, debug=project.settings.debug)
    prefixes = {config.label: config.prefix for config in project.apps}
    mount_routers(app, project.registry.components(ROUTERS), prefixes)
    _add_middleware(app, tuple(_middleware(project)))
    add_exception_handlers(app)
    if project.settings.debug:
        _welcome(app, project)
    _enclose(app, project)
    return app


def _refuse_serving(app: FastAPI | None) -> None:
    if app is not None and app.middleware_stack is not None:
        raise ComponentError(
            f"the application {app.title!r} has answered requests already",
            code="web.E006",
            hint="call get_asgi_application(app=app) where the application is made",
        )


def _middleware(project: Project) -> Iterator[Middleware]:
    """Yield the layers of the settings, then those of the apps, the outermost first."""
    yield from _host_check(project)
    try:
        for entry in project.settings["MIDDLEWARE"]:
            layer = Middleware.of(entry)
            layer.validate()
            yield layer
    except ForgeError as error:
        error.where = error.where or project.settings.where("MIDDLEWARE")
        raise
    yield from project.registry.values(MIDDLEWARE)


def _host_check(project: Project) -> Iterator[Middleware]:
    """Yield the layer that refuses other Host headers than ALLOWED_HOSTS has."""
    allowed: list[str] = [*project.settings["ALLOWED_HOSTS"]]
    if project.settings.environment == "test":
        allowed.append("testserver")  # what Starlette's test client calls itself
    if "*" not in allowed:
        yield Middleware(TrustedHostMiddleware, allowed_hosts=allowed)


def _add_middleware(app: FastAPI, layers: tuple[Middleware, ...]) -> None:
    # Each one is put around what is there, so that the outermost comes last.
    for layer in reversed(layers):
        if layer.slot is Slot.ROUTER:
            app.router.middleware_stack = layer.wrap(app.router.middleware_stack)
        else:
            app.add_middleware(layer.load(), **layer.options)


def _welcome(app: FastAPI, project: Project) -> None:
    from .web.welcome import About, AppFact, add_welcome_page  # in production it is never loaded

    apps = tuple(
        AppFact(name=config.name, label=config.label, prefix=config.prefix)
        for config in project.apps
        if config.label != LABEL
    )
    about = About(
        project=project.name,
        version=__version__,
        settings=project.settings,
        apps=apps,
        jobs=where_jobs_run,
    )
    add_welcome_page(app, about)


def _enclose(app: FastAPI, project: Project) -> None:
    """Put the edge around the application, and the project's life around its lifespan."""
    state = EdgeState()
    build, inner = app.build_middleware_stack, app.router.lifespan_context

    def build_middleware_stack() -> Edge:
        return Edge(build(), state)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        async with _running(project, state), inner(app) as values:
            yield values

    # On the instance: late routes, middleware and handlers of the user's still count, and the
    # object stays the FastAPI that every tool knows.
    app.build_middleware_stack = build_middleware_stack  # type: ignore[method-assign]
    app.router.lifespan_context = lifespan


@asynccontextmanager
async def _running(project: Project, state: EdgeState) -> AsyncIterator[None]:
    state.failure = None
    try:
        async with project.running(Role.WEB) as state.container:
            yield
    except ForgeError as error:
        state.failure = error
        raise
    finally:
        state.container = None
