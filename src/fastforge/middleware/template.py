"""Template: the path of the route that answers a request, as it was declared."""

from __future__ import annotations

from typing import Any

from starlette.types import Scope

__all__ = ["route_template"]


def route_template(scope: Scope, root_path: str = "") -> str | None:
    """Return the template of the route that was found, with the prefixes it is included under.

    `/orders/{order_id}` has as many values as the project has routes, where a path has as many as
    there are orders. What is mounted below a parameter has the parameter's value in it.

    Args:
        scope: The request's, after it has been routed.
        root_path: What `root_path` was before that.

    Returns:
        The template; None when no route was found.
    """
    route: Any = scope.get("route")
    context: Any = scope.get("fastapi", {}).get("effective_route_context")
    # An included route stands in the scope without its prefix; the context has it. Where another
    # application is mounted below, the context is still the one of the mount.
    if context is not None and (
        context.original_route is route or not hasattr(route, "path_format")
    ):
        route = context.starlette_route or context
    template: str | None = getattr(route, "path_format", None)
    mounted = scope.get("root_path", "")
    if template is None or mounted == root_path:
        return template
    if template == f"{route.path}/{{path}}":  # a mount: it stands in the root path itself
        mounted = mounted.removesuffix(route.path)
    return f"{mounted.removeprefix(root_path)}{template}"
