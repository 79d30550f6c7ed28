"""Changes: what a request has done to its session, before any of it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ..auth import AbstractUser

__all__ = ["MISSING", "Changes"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""What stands for nothing: a session may hold None."""


@dataclass(slots=True, kw_only=True)
class Changes:
    """What is to be written, key by key: another request may have written other keys meanwhile.

    Attributes:
        values: What was set.
        removed: The keys that were deleted.
        cleared: Whether everything that was there before is gone.
        secret: The secret from now on, where it is another one.
        user: Who has logged in.
        ended: Whether what was there before is over: nobody is logged in any more.
    """

    values: dict[str, Any] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    cleared: bool = False
    secret: str = ""
    user: AbstractUser | None = None
    ended: bool = False

    def __bool__(self) -> bool:
        return bool(self.values or self.removed or self.cleared or self.secret or self.ended)

    def set(self, key: str, value: Any) -> None:
        """Set a key."""
        self.values[key] = value
        self.removed.discard(key)

    def delete(self, key: str) -> None:
        """Delete a key."""
        self.values.pop(key, None)
        self.removed.add(key)

    def clear(self) -> None:
        """Delete everything."""
        self.values.clear()
        self.removed.clear()
        self.cleared = True

    def find(self, key: str) -> Any:
        """Return what is known of a key without what is kept: MISSING where that decides."""
        return self.values.get(key, MISSING)

    def hides(self, key: str) -> bool:
        """Return whether what is kept under a key counts no more."""
        return self.cleared or key in self.removed

    def merged(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a session holds afterwards."""
        kept = {} if self.cleared else {k: v for k, v in data.items() if k not in self.removed}
        return {**kept, **self.values}
