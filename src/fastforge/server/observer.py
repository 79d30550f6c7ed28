"""Observer: whom a server tells how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Observer"]


class Observer:
    """What `serve` calls on its way; this one does nothing.

    A supervised server reports through one, and one prints the address.
    """

    def loaded(self) -> None:
        """Hear that the application is loaded, and that nothing is open yet; it may block."""

    def failed(self, error: BaseException, message: str = "") -> None:
        """Hear why the application could not be loaded or started.

        Args:
            error: What was raised.
            message: What the application said of it.
        """

    async def serving(self, app: Any, state: Mapping[str, Any]) -> None:
        """Hear that requests are answered, in a task of its own.

        Args:
            app: The application.
            state: What its lifespan has put into the state.
        """
