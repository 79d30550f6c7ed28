"""Asked: what was asked for, and what the code has read of it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.requests import Request
from starlette.types import Scope

from ...exceptions import Location
from ...redaction import MASK, is_sensitive, redacted_text
from .values import Values

__all__ = ["Asked", "asked_of"]

MOST_ROWS: Final = 60
LONGEST_BODY: Final = 4000
_SCHEMES: Final = frozenset({"basic", "bearer", "digest", "negotiate", "token"})

Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request.

    Args:
        method: Its method.
        path: Its path, without the query.
        route: The template of the route that was found; empty for none.
        endpoint: The function that answers there, and where it is written.
        parameters: What the path says for the parameters of the template.
        query: The fields of the query.
        headers: The headers, but cookies.
        cookies: The names of cookies; no value of one is shown.
        form: The fields of a form, where one has been read.
        body: The body, where one has been read that is no form.
    """

    method: str
    path: str
    route: str
    endpoint: str
    parameters: Rows
    query: Rows
    headers: Rows
    cookies: Rows
    form: Rows
    body: str


def asked_of(scope: Scope, error: BaseException, values: Values, *, route: str) -> Asked:
    """Return what a request asked for.

    What was read of its body is found where the code that read it has it, since nobody else has.
    """
    headers = Headers(scope=scope)
    read = _read_request(error)
    form, body = _body(read, headers.get("content-type", ""), values)
    parameters = scope.get("path_params") or {}
    query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    return Asked(
        method=scope["method"],
        path=redacted_text(scope["path"]),
        route=route,
        endpoint=_endpoint(scope.get("endpoint")),
        parameters=tuple((name, values.named(name, value)) for name, value in parameters.items()),
        query=_rows(query, values),
        headers=tuple(_headers(headers, values)),
        cookies=tuple(_cookies(headers, values)),
        form=form,
        body=body,
    )


def _headers(headers: Headers, values: Values) -> Iterator[tuple[str, str]]:
    for name, value in headers.items()[:MOST_ROWS]:
        if name == "cookie":
            continue
        if is_sensitive(name):
            scheme, _, rest = value.partition(" ")
            has_scheme = scheme.lower() in _SCHEMES
            values.keep(rest if has_scheme else value)
            yield name, f"{scheme} {MASK}" if has_scheme else MASK
        else:
            yield name, redacted_text(value)


def _cookies(headers: Headers, values: Values) -> Iterator[tuple[str, str]]:
    for line in headers.getlist("cookie"):
        try:
            found = SimpleCookie(line)
        except CookieError:
            yield "(not readable)", MASK
            continue
        for name, morsel in found.items():
            values.keep(morsel.value)
            yield name, MASK


def _rows(pairs: Iterable[tuple[str, Any]], values: Values) -> Rows:
    return tuple((name, _field(name, value, values)) for name, value in [*pairs][:MOST_ROWS])


def _field(name: str, value: Any, values: Values) -> str:
    if isinstance(value, UploadFile):
        return f"a file: {value.filename}, {value.size} bytes, {value.content_type}"
    if is_sensitive(name):
        values.keep(value)
        return MASK
    return redacted_text(str(value))


def _endpoint(endpoint: Any) -> str:
    if endpoint is None:
        return ""
    function = inspect.unwrap(endpoint)
    name = getattr(function, "__qualname__", type(function).__qualname__)
    place = Location.of(function)
    whole = f"{getattr(function, '__module__', '')}.{name}".lstrip(".")
    return f"{whole}, {place}" if place else whole


def _read_request(error: BaseException) -> Request | None:
    """Return the request object that has read the body, if the error has passed one."""
    traceback = error.__traceback__
    while traceback is not None:
        for value in [*traceback.tb_frame.f_locals.values()]:
            if isinstance(value, Request) and (
                hasattr(value, "_body") or getattr(value, "_form", None) is not None
            ):
                return value
        traceback = traceback.tb_next
    return None


def _body(read: Request | None, media_type: str, values: Values) -> tuple[Rows, str]:
    form = getattr(read, "_form", None)
    if isinstance(form, FormData):
        return _rows(form.multi_items(), values), ""
    body: bytes = getattr(read, "_body", b"")
    if not body:
        return (), ""
    if "json" in media_type:
        try:
            return (), _hidden(json.loads(body), values)[:LONGEST_BODY]
        except ValueError:
            pass
    if media_type.startswith("application/x-www-form-urlencoded"):
        return _rows(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True), values), ""
    text = redacted_text(body[:LONGEST_BODY].decode("utf-8", "replace"))
    return (), text if text.isprintable() or "\n" in text else f"{len(body)} bytes"


def _hidden(value: Any, values: Values) -> str:
    return redacted_text(json.dumps(_without_secrets(value, values), indent=2, ensure_ascii=False))


def _without_secrets(value: Any, values: Values) -> Any:
    if isinstance(value, dict):
        return {
            key: _masked(each, values) if is_sensitive(key) else _without_secrets(each, values)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(each, values) for each in value]
    return value


def _masked(value: Any, values: Values) -> str:
    values.keep(value)
    return MASK
