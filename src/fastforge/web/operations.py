"""Operations: the same id for an operation in every process, and one for each method of a route.

FastAPI takes the method in an id from a set: of a route with several it is another one in each
process, and all of them share the id, with a warning. Generated clients are named by these ids.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from fastapi.utils import generate_unique_id

__all__ = ["name_operations"]

# What FastAPI names by the id: a body of several parts, and the titles of answers.
_NAMES: Final = (
    re.compile(r"((?:#/components/schemas/)?Body_)(\w+)"),
    re.compile(r"((?:Response|Streamitem) )([\w ]+)"),
    re.compile(r"(Response \w+ )([\w ]+)"),
)


def name_operations(app: FastAPI) -> None:
    """Give the operations of an application ids that do not change.

    Those of a route with one method are FastAPI's, always. Those of a route with several are the
    name, the path and each method: `read_or_check_items_get`, `read_or_check_items_head`.

    Surprises: where a route has an `operation_id`, or the application, the router, the inclusion
    or the route a `generate_unique_id_function`, that holds.

    Args:
        app: The application, before routers are included: inclusions take the function with them.
    """
    for router in (app.router, app.webhooks):
        function: Any = router.generate_unique_id_function
        if _is_unchosen(function):
            router.generate_unique_id_function = _stable_id
    openapi = app.openapi
    named: dict[str, Any] = {}

    def openapi_with_stable_ids() -> dict[str, Any]:
        nonlocal named
        shared = tuple(_sharing_an_id(app))
        with warnings.catch_warnings():
            if shared:
                ids = "|".join(re.escape(context.unique_id) for context in shared)
                warnings.filterwarnings("ignore", f"Duplicate Operation ID ({ids}) ")
            schema = openapi()
        if schema is not named:  # FastAPI makes it again when routes have been added
            for context in shared:
                _part(context, schema)
            _rename(schema, dict(_new_names(shared)))
            named = schema
        return schema

    app.openapi = openapi_with_stable_ids  # type: ignore[method-assign]


def _stable_id(route: APIRoute | RouteContext) -> str:
    """Return the id of a route: FastAPI's, with the first of its methods by the alphabet."""
    return _id(route, min(route.methods or ("get",)))


def _id(route: APIRoute | RouteContext, method: str) -> str:
    return re.sub(r"\W", "_", f"{route.name}{route.path_format}") + f"_{method.lower()}"


def _sharing_an_id(app: FastAPI) -> Iterator[RouteContext]:
    """Yield the routes whose methods share an id that nobody has chosen."""
    for context in iter_route_contexts([*app.routes, *app.webhooks.routes]):
        if (
            isinstance(context.original_route, APIRoute)
            and context.include_in_schema
            and len(context.methods or ()) > 1
            and not context.operation_id
            and _is_unchosen(context.generate_unique_id_function)
        ):
            yield context


def _is_unchosen(function: Any) -> bool:
    return function is _stable_id or (
        isinstance(function, DefaultPlaceholder) and function.value is generate_unique_id
    )


def _part(context: RouteContext, schema: dict[str, Any]) -> None:
    """Give each method of a route its own id, and each method its place."""
    for part in ("paths", "webhooks"):
        operations = schema.get(part, {}).get(context.path_format, {})
        ours = [
            method
            for method in sorted(method.lower() for method in context.methods or ())
            if operations.get(method, {}).get("operationId") == context.unique_id
        ]
        for method in ours:
            operations[method]["operationId"] = _id(context, method)
        if ours:
            ordered = sorted(operations.items())
            operations.clear()
            operations.update(ordered)


def _new_names(shared: Iterable[RouteContext]) -> Iterator[tuple[str, str]]:
    """Yield the old and the new id, and how titles have them, of routes from before us."""
    for context in shared:
        old, new = context.unique_id, _stable_id(context)
        if old != new:
            yield old, new
            yield _titled(old), _titled(new)


def _rename(value: Any, names: Mapping[str, str]) -> Any:
    """Replace ids in the names that FastAPI has made of them, and return the value."""
    if not names:
        return value
    if isinstance(value, dict):
        renamed = [(_rename(key, names), _rename(each, names)) for key, each in value.items()]
        value.clear()
        value.update(renamed)
    elif isinstance(value, list):
        value[:] = [_rename(each, names) for each in value]
    elif isinstance(value, str):
        for pattern in _NAMES:
            found = pattern.fullmatch(value)
            if found and found[2] in names:
                return found[1] + names[found[2]]
    return value


def _titled(name: str) -> str:
    return name.title().replace("_", " ")
