"""Guard: what finds out who has opened a socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Scope

from ..sockets.connection import Principal

__all__ = ["ChannelGuard", "Revocations", "Unknown", "known_by_token"]


class Unknown(Exception):
    """What was shown names nobody, or nobody any more."""


class Revocations(Protocol):
    """What a guard tells when somebody is not to be believed any more."""

    @property
    def are_wanted(self) -> bool:
        """Whether anybody is here whom a revocation could be about."""
        ...

    def revoke(self, *, user_id: object = None, token_id: str | None = None) -> None:
        """Let the sockets of a user end, or of a token; with neither, those of everybody.

        Their clients come back with what they have, and are looked at again.
        """
        ...


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
        watch: Tells of revocations for as long as it runs: the process runs it while it serves.
    """

    name: str
    by_request: Callable[[Scope], Awaitable[Principal | None]] | None = None
    by_token: Callable[[str], Awaitable[Principal | None]] | None = None
    watch: Callable[[Revocations], Awaitable[None]] | None = None


async def known_by_token(guards: tuple[ChannelGuard, ...], token: str) -> Principal | None:
    """Return whose token that is; None: nobody's."""
    for guard in guards:
        if guard.by_token is None:
            continue
        try:
            user = await guard.by_token(token)
        except Unknown:
            return None
        if user is not None:
            return user
    return None
