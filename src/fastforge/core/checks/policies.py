"""Routes that do not say who may ask for them, where the project wants each to say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastapi import FastAPI

from ..._utils import where_written
from ...apps.folders import is_own
from ...checks import Level, Message, check
from ...web.policies import routes_without_policy
from ...web.settings import Security
from .served import served

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["routes_state_a_policy"]


@check(tags={"security", "web"})
def routes_state_a_policy(project: Project) -> Iterator[Message]:
    """Refuse routes of which nobody has said who may ask for them."""
    security = project.settings.section(Security)
    app = served(project).app
    if app is None or not security.require_policy:
        return
    opened = [*security.public_paths, *_documentation(app, project.settings.environment)]
    for path, context in routes_without_policy(app.routes, public_paths=opened):
        methods = ", ".join(sorted(context.methods or ())) or "a connection to"
        where = where_written(context.endpoint)
        is_ours = where is not None and is_own(project.settings, where.file)
        yield Message(
            id="web.E060",
            level=Level.ERROR,
            text=f"{methods} {path} does not say who may ask for it (SECURITY.require_policy)",
            hint="give it a dependency marked by @policy; or write @public at the handler, or"
            " SECURITY.public_paths, where anybody may",
            where=where if is_ours else project.settings.where("SECURITY"),
        )


def _documentation(app: FastAPI, environment: str) -> Iterator[str]:
    """Yield the paths of what is there for those who develop, and off in production."""
    if environment != "production":
        paths = (app.docs_url, app.redoc_url, app.openapi_url, app.swagger_ui_oauth2_redirect_url)
        yield from (path for path in paths if path)
