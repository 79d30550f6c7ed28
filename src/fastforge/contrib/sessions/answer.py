"""Answer: the headers of an answer that depends on a cookie, or sets one."""

from __future__ import annotations

from typing import Final

from starlette.types import Message

from .saving import Cookie
from .visit import Visit

__all__ = ["answered"]

_PRIVATE: Final = frozenset({"no-store", "private", "no-cache"})


def answered(visit: Visit, message: Message, cookie: Cookie | None) -> Message:
    """Return the beginning of an answer, with the cookie and what others may keep of it.

    `Vary: Cookie` stands on every answer that may depend on it. That of a browser with a session,
    or that gives it one, is not kept by anybody, unless the handler has said what may be.
    """
    headers: list[tuple[bytes, bytes]] = [*message.get("headers", ())]
    headers = _varying(headers)
    if visit.secret or cookie is not None:
        headers = _kept_by_nobody(headers, is_forced=cookie is not None)
    if cookie is not None:
        cookies, scope = visit.keeper.cookies, visit.scope
        headers.append(
            cookies.write(scope, cookie.secret, max_age_s=cookie.max_age_s)
            if cookie.secret
            else cookies.delete(scope)
        )
    return {**message, "headers": headers}


def _varying(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    named = [value.decode("latin-1") for name, value in headers if name.lower() == b"vary"]
    words = {word.strip().lower() for value in named for word in value.split(",")}
    if not words.isdisjoint(("cookie", "*")):
        return headers
    others = [pair for pair in headers if pair[0].lower() != b"vary"]
    return [*others, (b"vary", ", ".join([*named, "Cookie"]).encode("latin-1"))]


def _kept_by_nobody(
    headers: list[tuple[bytes, bytes]], *, is_forced: bool
) -> list[tuple[bytes, bytes]]:
    said = [value.decode("latin-1") for name, value in headers if name.lower() == b"cache-control"]
    words = {word.strip().lower() for value in said for word in value.split(",")}
    if said and not (is_forced and words.isdisjoint(_PRIVATE)):
        return headers
    others = [pair for pair in headers if pair[0].lower() != b"cache-control"]
    return [*others, (b"cache-control", b"no-store")]
