"""Deafness: a process that does not hear what others publish should be given no more clients."""

from __future__ import annotations

import time

from ...lifecycle import Container
from ...lifecycle.breakers import breakers_of
from ..settings import Channels
from .broker import Hearing

__all__ = ["is_deaf"]


def is_deaf(container: Container, hearing: Hearing, *, service: str, is_required: bool) -> bool:
    """Return whether a process should be given no clients, because it does not hear others.

    Readiness asks it, by the breaker of whatever hears. Where the service itself is away every
    process is deaf, and clients that are sent elsewhere find nobody: that counts only where the
    process cannot do without the service.

    ```python
    def is_needed() -> bool:
        return is_deaf(container, broker.hearing, service="nats", is_required=False)

    breaker = Breaker("channels", is_needed=is_needed)
    ```

    Args:
        container: The running project.
        hearing: How well it hears.
        service: The name of the breaker for everything else that the service is asked.
        is_required: Whether a process cannot do without the service.
    """
    since, limit_s = hearing.deaf_since, container.settings.section(Channels).deaf_limit_s
    if since is None or time.monotonic() - since <= limit_s:
        return False
    others = [each for each in breakers_of(container) if each.name == service]
    return is_required or not any(each.is_troubled for each in others)
