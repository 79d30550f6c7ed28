"""People: who opens the socket of a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...channels.connection import Principal

__all__ = ["Somebody", "principal_of"]


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who opens the socket of a test, as `connection.user` is there.

    ```python
    ann = await channels.connect(user=Somebody(7, expires_at=time.time() + 60))
    ```

    In a project with contrib.auth an `Identity` of its own has scopes as well.

    Args:
        id: Names the user.
        token_id: Names what they have shown.
        expires_at: Until when it counts, in seconds since the epoch.
    """

    id: Any
    token_id: str = ""
    expires_at: float | None = None


def principal_of(user: Principal | object) -> Principal | None:
    """Return who a test means: somebody with all that a socket has to know, a row, or an id.

    Args:
        user: Them; None for nobody in particular.
    """
    if user is None:
        return None
    if all(hasattr(user, name) for name in ("id", "token_id", "expires_at")):
        known: Any = user
        return known  # type: ignore[no-any-return]
    return Somebody(getattr(user, "id", user))
