"""Redirects: to where a client has asked for, if that is ours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from starlette.responses import RedirectResponse

from ..exceptions import ComponentError

__all__ = ["safe_redirect", "safe_target"]

_NOT_IN_A_TARGET: Final = re.compile(r"[\x00-\x20\x7f\\]")
"""Browsers drop some of these, and read a backslash as a slash: `/\\t/evil.example` leaves."""
_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?")


def safe_redirect(
    target: str | None,
    *,
    fallback: str = "/",
    origins: Iterable[str] = (),
    status_code: int = 303,
) -> RedirectResponse:
    """Redirect to where a client asked to go on, and nowhere that is not ours.

    ```python
    @router.post("/login")
    async def login(next: str = "/") -> RedirectResponse:
        return safe_redirect(next)
    ```

    Surprises: a whole URL is followed to the named origins alone, also where it is this server's
    own; a relative path, `orders` for `/orders`, is not followed.

    Args:
        target: Where the client wants to go on, `next` of a query or of a form.
        fallback: Where to go in its place. It is not looked at: never what a client sent.
        origins: Other origins that are ours, `https://shop.example`.
        status_code: 303 lets the browser go on with GET.

    Raises:
        ComponentError: An origin is none.
    """
    where = safe_target(target, fallback=fallback, origins=origins)
    return RedirectResponse(where, status_code=status_code)


def safe_target(target: str | None, *, fallback: str = "/", origins: Iterable[str] = ()) -> str:
    """Return a target that leads to a path of ours; the fallback in place of every other.

    ```python
    assert safe_target("/orders?page=2") == "/orders?page=2"
    assert safe_target("//evil.example/orders") == "/"
    ```

    Args:
        target: What a client sent.
        fallback: What to give in its place.
        origins: Other origins that are ours.

    Raises:
        ComponentError: An origin is none.
    """
    ours = [_whole(origin) for origin in origins]
    if not target or _NOT_IN_A_TARGET.search(target) or not _can_be_written(target):
        return fallback
    for origin in ours:
        if target.startswith(origin):
            path = target.removeprefix(origin)
            if not path or path[0] in "/?#":
                return target
    return target if target[0] == "/" and target[1:2] != "/" else fallback


def _whole(origin: str) -> str:
    if not _ORIGIN.fullmatch(origin):  # "https://" alone, or "", would let every target pass
        raise ComponentError(
            f"the origin {origin!r} of a redirect is none",
            code="web.E022",
            hint="write scheme and host in lower case, 'https://shop.example'",
        )
    return origin


def _can_be_written(target: str) -> bool:
    try:
        target.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as JSON may bring
        return False
    return True
