"""Application: what a project serves, assembled in the order in which it is read here."""

from __future__ import annotations

import sys
from functools import partial

from fastapi import FastAPI
from starlette.routing import Route, WebSocketRoute

from .. import __version__
from ..channels.kinds import CHANNELS
from ..channels.settings import Channels
from ..core.identity import LABEL
from ..core.services import where_jobs_run
from ..exceptions import ComponentError, Location
from ..middleware.line import route_template
from ..project import Project
from ..web.document import complete_document
from ..web.errors.bodies import answer_large_bodies
from ..web.errors.handlers import FailurePage, add_exception_handlers
from ..web.errors.openapi import describe_errors
from ..web.errors.resolution import ErrorFormats
from ..web.index import index_routes
from ..web.kinds import ERROR_FORMATS, ERROR_PANELS, OPENAPI_PARTS, ROUTERS
from ..web.operations import name_operations
from ..web.policies import policy, public
from ..web.routing import mount_routers
from .creation import limit_bodies, new_application
from .enclosing import enclose, is_enclosed
from .layers import add_middleware
from .pages import let_pages_work

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
        ComponentError: Two routes clash, a middleware cannot be imported, or `app` is serving,
            has been given before, or is no FastAPI; or `project` is no project.
        ForgeError: The project cannot be loaded.
    """
    _refuse_unfit(project, app)
    project = project or Project.load(settings_module)
    app = new_application(project) if app is None else app
    prefixes = {config.label: config.prefix for config in project.apps}
    routers = project.registry.components(ROUTERS)
    formats = ErrorFormats(project.registry.components(ERROR_FORMATS), routers, prefixes)
    name_operations(app)
    mount_routers(app, routers, prefixes)
    _open_channels(app, project)
    index_routes(app)
    limit_bodies(app, project)
    let_pages_work(app, project)
    add_middleware(app, project)
    add_exception_handlers(app, formats, page=_error_page(app, project))
    answer_large_bodies(app, formats)
    describe_errors(app, formats)
    complete_document(app, partial(project.registry.values, OPENAPI_PARTS), project.settings)
    if project.settings.debug:
        _welcome(app, project)
    enclose(app, project, formats)
    return app


def _refuse_unfit(project: object, app: object) -> None:
    here = "call get_asgi_application(app=app) where the application is made"
    if isinstance(project, FastAPI):
        raise _unfit(f"{project.title!r} is no project", "write get_asgi_application(app=app)")
    if isinstance(project, str):
        hint = f"write get_asgi_application(settings_module={project!r})"
        raise _unfit(f"{project!r} is no project", hint)
    if app is None:
        return
    if not isinstance(app, FastAPI):
        raise _unfit(f"a {type(app).__qualname__} is no FastAPI", "mount it in one: app.mount")
    if app.middleware_stack is not None:
        raise _unfit(f"{app.title!r} has answered requests already", here)
    if is_enclosed(app):
        raise _unfit(f"{app.title!r} is the project's already", "call it once")


def _unfit(fault: str, hint: str) -> ComponentError:
    caller = sys._getframe(3)  # of get_asgi_application
    where = Location(caller.f_code.co_filename, caller.f_lineno)
    return ComponentError(f"the application {fault}", code="web.E006", hint=hint, where=where)


def _open_channels(app: FastAPI, project: Project) -> None:
    if not project.registry.values(CHANNELS):
        return
    from ..channels.declaring.overlaps import refuse_overlaps
    from ..channels.script import answer_client_script
    from ..channels.serving.endpoint import ChannelEndpoint
    from ..channels.serving.events import EVENTS_PATH, EventEndpoint

    refuse_overlaps(project.registry.components(CHANNELS))
    path = project.settings.section(Channels).path
    below = path.rstrip("/")
    script, events = f"{below}/client.js", below + EVENTS_PATH
    # Each channel says itself who may join it.
    joins, listens = policy(ChannelEndpoint()), policy(EventEndpoint())
    app.router.routes += [
        Route(script, public(answer_client_script), name="channels_client"),
        WebSocketRoute(path, joins, name="channels"),
        Route(events, listens, methods=["GET"], name="channels_events"),
    ]


def _error_page(app: FastAPI, project: Project) -> FailurePage | None:
    settings = project.settings
    if not settings.debug or settings.environment != "development":
        return None
    from ..web.errorpage.answer import ErrorPage, watch_requests  # in production it is never loaded

    panels = partial(project.registry.values, ERROR_PANELS)
    page = ErrorPage(
        project=project.name, settings=settings, panels=panels, route_of=route_template
    )
    watch_requests(app, page)
    return page


def _welcome(app: FastAPI, project: Project) -> None:
    from ..web.welcome import About, AppFact, add_welcome_page  # in production it is never loaded

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
