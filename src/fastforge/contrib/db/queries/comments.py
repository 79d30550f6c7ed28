"""Comments: the tags of each statement, by which the database's own tools tell whose it is.

In the form that sqlcommenter has made common: `/*app='shop',route='/orders/{order_id}'*/`. There
are as many as routes and tasks. The id of a request is never one of them: each would be another
statement to the caches of prepared ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from ....middleware.line import route_template
from ....observability.context import running_job
from ..sessions.current import current_unit

__all__ = ["comments_of"]

_COMMENT: Final = "fastforge.sql_comment"
_SAFE: Final = "/{}.-_~:"


def comments_of(app: str, *, percent: str = "%") -> Callable[[], str]:
    """Return what gives the comment of a statement that runs here, with a space behind it.

    It stands at the beginning: what PostgreSQL shows of a running statement is cut off at 1 KiB.

    Args:
        app: The project's name.
        percent: How a `%` is written; psycopg looks for parameters in comments too.
    """
    known_as = f"{_COMMENT}{percent}"  # a request may use databases of both kinds

    @lru_cache(maxsize=4096)
    def comment(kind: str, value: str) -> str:
        tags = {"app": app, kind: value} if value else {"app": app}
        # Nothing of a value can end the comment, or begin another: `*` is not safe.
        text = ",".join(f"{key}='{quote(each, safe=_SAFE)}'" for key, each in tags.items())
        return f"/*{text.replace('%', percent)}*/ "

    def comment_here() -> str:
        unit = current_unit()
        scope: Any = None if unit is None else unit.scope
        if scope and "type" in scope:
            known: str | None = scope.get(known_as)
            if known is None:
                route = _route(scope)
                known = comment("route", route or "")
                if route:  # before it is found, a layer may ask for something
                    scope[known_as] = known
            return known
        job = running_job.get()
        return comment("task", job.task) if job else comment("", "")

    return comment_here


def _route(scope: Any) -> str | None:
    """Return the template of a route, of which there are as many as the project has routes.

    What a mount below a parameter has in front has the parameter's value in it, and is left out.
    """
    route = route_template(scope)
    mounted: str = scope.get("root_path", "")
    outer = scope.get("app_root_path", mounted)
    if route and mounted != outer and scope.get("path_params"):
        return route.removeprefix(mounted.removeprefix(outer))
    return route
