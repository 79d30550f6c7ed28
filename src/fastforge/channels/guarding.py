"""Guard: what finds out who has opened a socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Scope

from .connection import Principal

__all__ = ["ChannelGuard", "Unknown"]


class Unknown(Exception):
    """What was shown names nobody, or nobody any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelGuard:
    """Knows people by what they show, in an app's `channel_guards.py`.

    ```python
    BADGES = ChannelGuard(name="badges", by_request=badge_of_headers, by_token=badge)
    ```

    Args:
        name: Unique in the project.
        by_request: Returns who has sent the request that became the socket; None: it shows
            nothing that this guard knows. Raises Unknown where it shows something worthless.
        by_token: Returns whose token that is; None: it is none of this guard's. May raise Unknown.
        by_cookie: Whether `by_request` reads cookies, which a browser sends whoever asks it to:
            it is asked only where the Origin is known.
    """

    name: str
    by_request: Callable[[Scope], Awaitable[Principal | None]] | None = None
    by_token: Callable[[str], Awaitable[Principal | None]] | None = None
    by_cookie: bool = False
