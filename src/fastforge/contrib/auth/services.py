"""The service that reads what was forgotten, so that nobody who asks has to wait for it."""

from __future__ import annotations

from ...lifecycle import Role, current_container, service
from .identity.watching import watch
from .resources import identities

__all__ = ["forgotten_watch"]


@service(roles={Role.WEB}, scoped=False)
async def forgotten_watch() -> None:
    """Read the log of revocations twice a second while somebody asks for identities."""
    await watch(current_container()[identities])
