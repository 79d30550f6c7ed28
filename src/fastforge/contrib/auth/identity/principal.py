"""Principal: the little that is known of whoever asks, and all that a cache keeps of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who asks: what a credential stands for, without anything personal or secret.

    ```python
    @router.get("/orders")
    async def orders(me: CurrentIdentity) -> list[OrderOut]:
        return await orders_of(me.id)
    ```

    Surprises: it is no row and is not read from the database. `CurrentUser` is the row.

    Args:
        id: The user's key, of the type that the user model has, so that `Order(user_id=me.id)`
            and `me.id == order.user_id` are right; of somebody who is known elsewhere, the subject
            there, a text.
        version: The version of the user when it was checked; 0 of somebody who is known elsewhere
            and has no row here.
        scopes: What the credential allows.
        is_superuser: Whether it allows everything.
        kind: What the credential is: `token`, `session`, `api_key`, or a verifier's own word.
        token_id: The name of the credential, by which it is revoked; never the secret itself.
        expires_at: When it ends, in seconds of the epoch; None for one that does not.
    """

    id: Any
    version: int = 0
    scopes: frozenset[str] = frozenset()
    is_superuser: bool = False
    kind: str = "token"
    token_id: str = ""
    expires_at: float | None = None

    def has(self, *scopes: str) -> bool:
        """Return whether it allows all of some scopes."""
        return self.is_superuser or self.scopes.issuperset(scopes)
