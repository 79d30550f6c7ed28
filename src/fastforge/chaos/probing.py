"""Probing: which of a project's paths can be asked for under load, found by asking once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .outcome import Failed
from .websocket import shake_hands
from .wire import Connection, Target

__all__ = ["Choice", "candidates", "probe", "refusal", "shown"]

ENDS_WITHIN_S: Final = 5
SHOWN_BYTES: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is asked for.

    Args:
        paths: Those that answer with less than 400.
        sockets: Web sockets that open.
        left_out: Other paths, and why.
        greetings: What is said first on a web socket, by its path.
    """

    paths: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    greetings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def candidates(app: Any) -> Choice:
    """Return what an application can be asked for by its path alone.

    Args:
        app: A FastAPI application, which is not started.
    """
    from fastapi.routing import iter_route_contexts

    routes = [route for route in iter_route_contexts(app.routes) if _is_plain(route.path)]
    sockets = (str(route.path) for route in routes if _is_socket(route))
    return Choice(paths=tuple(_paths(app.openapi())), sockets=tuple(dict.fromkeys(sockets)))


async def probe(found: Choice, target: Target) -> Choice:
    """Ask a server for each candidate once, and return what may be asked for under load."""
    paths = {path: await refusal(path, target) for path in found.paths}
    sockets = {path: await refusal(path, target, socket=True) for path in found.sockets}
    refused = ((path, why) for path, why in (*paths.items(), *sockets.items()) if why)
    return replace(
        found,
        paths=tuple(path for path, why in paths.items() if not why),
        sockets=tuple(path for path, why in sockets.items() if not why),
        left_out=(*found.left_out, *refused),
    )


async def refusal(path: str, target: Target, *, socket: bool = False) -> str:
    """Return why a path cannot be asked for; an empty text when it can.

    Args:
        path: The path.
        target: The server.
        socket: Whether a web socket is to be there.
    """
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            return await _refusal(path, target, socket=socket)
    except Failed as error:
        return f"it fails: {error}"
    except TimeoutError:
        return f"its answer does not end within {ENDS_WITHIN_S} s"


async def shown(path: str, target: Target) -> str:
    """Return the beginning of what a path answers, in one line; an empty text without an answer."""
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            return await _shown(path, target)
    except (Failed, TimeoutError):
        return ""


async def _shown(path: str, target: Target) -> str:
    connection = await Connection.open(target)
    try:
        await connection.send(target.head(path))
        head = await connection.head()
        length = head.headers.get(b"content-length", b"0")
        count = min(int(length), SHOWN_BYTES) if length.isdigit() else 0
        return " ".join((await connection.read_exactly(count)).decode(errors="replace").split())
    finally:
        connection.close()


async def _refusal(path: str, target: Target, *, socket: bool) -> str:
    connection = await Connection.open(target)
    try:
        if socket:
            head = await shake_hands(connection, target, path)
            return "" if head.status == 101 else f"the web socket is refused with {head.status}"
        await connection.send(target.head(path))
        head = await connection.head()
        await connection.body(head)
        return "" if head.status < 400 else f"it answers {head.status}"
    finally:
        connection.close()


def _paths(document: dict[str, Any]) -> Iterator[str]:
    for path, operations in document.get("paths", {}).items():
        operation = operations.get("get")
        if operation is not None and _is_plain(path) and not _needs_more(operation):
            yield path


def _needs_more(operation: dict[str, Any]) -> bool:
    parameters: Iterable[dict[str, Any]] = operation.get("parameters", ())
    return any(parameter.get("required", False) for parameter in parameters)


def _is_plain(path: str | None) -> bool:
    return bool(path) and "{" not in str(path)


def _is_socket(route: Any) -> bool:
    return not route.methods and "WebSocket" in type(route.original_route).__name__
