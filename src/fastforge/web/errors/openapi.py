"""OpenAPI: what the document says of error answers, as they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import TypeAdapter

from .resolution import ErrorFormats, Writer

__all__ = ["describe_errors"]

REFERENCE: Final = "#/components/schemas/"
INVALID: Final = "422"
_STOCK: Final = ("HTTPValidationError", "ValidationError")


def describe_errors(app: FastAPI, formats: ErrorFormats) -> None:
    """Let the OpenAPI document of an application say what its error answers are.

    Every operation has the response `default` in the format that holds for it, and FastAPI's
    response for requests that are not valid has that schema as well. What a route says of itself
    stays.

    Surprises: `app.openapi` is replaced. An application that sets another one later has that one,
    and one that was there before is asked first.

    Args:
        app: The application.
        formats: What its error answers look like.
    """
    generate = app.openapi
    described: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        nonlocal described
        document = generate()
        if document is not described:  # FastAPI makes it again when routes have been added
            _describe(document, app, formats)
            described = document
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(document: dict[str, Any], app: FastAPI, formats: ErrorFormats) -> None:
    operations = [
        (operation, _said(context), formats.for_route(context.original_route, path))
        for context, path, operation in _operations(document, app)
    ]
    schemas = _add_schemas(document, {id(writer): writer for _, _, writer in operations})
    for operation, said, writer in operations:
        content = {writer.format.media_type: {"schema": schemas[id(writer)]}}
        responses = operation.setdefault("responses", {})
        if INVALID in responses and INVALID not in said:
            responses[INVALID] = {**responses[INVALID], "content": content}
        if "default" not in responses:
            responses["default"] = {"description": "Error", "content": content}
    _remove_unused(document)


def _operations(
    document: dict[str, Any], app: FastAPI
) -> Iterator[tuple[RouteContext, str, dict[str, Any]]]:
    paths = document.get("paths", {})
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute) and context.include_in_schema:
            path = context.path_format or ""
            for method in context.methods or ():
                operation = paths.get(path, {}).get(method.lower())
                if operation is not None:
                    yield context, path, operation


def _said(context: RouteContext) -> frozenset[str]:
    """Return the responses that a route describes itself, as the document calls them."""
    extra: Mapping[str, Any] = context.openapi_extra or {}
    return frozenset(str(status) for status in [*context.responses, *extra.get("responses", ())])


def _add_schemas(document: dict[str, Any], writers: Mapping[int, Writer]) -> dict[int, Any]:
    """Add what the formats' schemas refer to, and return these schemas by the writer's id."""
    made, rest = TypeAdapter.json_schemas(
        [(key, "serialization", writer.adapter) for key, writer in writers.items()],
        ref_template=REFERENCE + "{model}",
    )
    components: dict[str, Any] = document.setdefault("components", {})
    present: dict[str, Any] = components.get("schemas", {})
    definitions: dict[str, Any] = rest.get("$defs", {})
    # No class is called like this, so that the name is nobody's: FastAPI does the same with
    # `-Input` and `-Output`.
    renamed = {
        REFERENCE + name: f"{name}-Error"
        for name, definition in definitions.items()
        if present.get(name, definition) != definition
    }
    added = {
        renamed.get(REFERENCE + name, name): _with_names(definition, renamed)
        for name, definition in definitions.items()
    }
    components["schemas"] = dict(sorted({**present, **added}.items()))
    return {key: _with_names(schema, renamed) for (key, _), schema in made.items()}


def _with_names(schema: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(schema, dict):
        return {
            key: REFERENCE + renamed[value]
            if key == "$ref" and value in renamed
            else _with_names(value, renamed)
            for key, value in schema.items()
        }
    return [_with_names(each, renamed) for each in schema] if isinstance(schema, list) else schema


def _remove_unused(document: dict[str, Any]) -> None:
    """Remove FastAPI's own schemas of errors where nothing refers to them any more."""
    schemas = document["components"]["schemas"]
    for name in _STOCK:  # the first refers to the second
        if name in schemas and REFERENCE + name not in _references(document):
            del schemas[name]
    if not schemas:
        del document["components"]["schemas"]
    if not document["components"]:
        del document["components"]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref" and isinstance(inner, str):
                yield inner
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
