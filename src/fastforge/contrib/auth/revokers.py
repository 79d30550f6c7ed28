"""Revoker: what ends the logins that another app keeps, as that app declares it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..db import Session

__all__ = ["Revoker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoker:
    """Ends logins that are no tokens of ours; declared in an app's `revokers.py`.

    `revoke_user` and `revoke_everybody` call each of them, in their transaction.

    ```python
    PHONES = Revoker(name="phones", of_user=end_phones, of_everybody=end_all_phones)
    ```

    Args:
        name: Unique in the project.
        of_user: Given a session in `atomic` and the id of a user as text, ends theirs; returns how
            many there were.
        of_everybody: Given a session in `atomic`, ends all; returns how many there were.
    """

    name: str
    of_user: Callable[[Session, str], Awaitable[int]]
    of_everybody: Callable[[Session], Awaitable[int]]
