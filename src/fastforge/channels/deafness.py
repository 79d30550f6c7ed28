"""Deafness: a process that does not hear what others publish should be given no more clients."""

from __future__ import annotations

import time

from ..exceptions import ResourceUnavailable
from ..lifecycle import Container
from .broker import Hearing
from .settings import Channels

__all__ = ["refuse_deafness"]


def refuse_deafness(container: Container, hearing: Hearing | None) -> None:
    """Return if a process hears what others publish, or has not been deaf for long.

    It is the `ping` of a resource that gives a broker, so that readiness asks it.

    ```python
    async def _hears(broker: NatsBroker) -> None:
        refuse_deafness(current_container(), broker.hearing)
    ```

    Args:
        container: The running project.
        hearing: How well it hears; None where there is nothing between.

    Raises:
        ResourceUnavailable: It has been deaf for longer than CHANNELS.deaf_limit_s.
    """
    since = None if hearing is None else hearing.deaf_since
    if since is None:
        return
    deaf_s, limit_s = time.monotonic() - since, container.settings.section(Channels).deaf_limit_s
    if deaf_s > limit_s:
        raise ResourceUnavailable(
            f"nothing that others publish in channels has been heard for {deaf_s:.0f} s",
            code="channels.E024",
            hint="the log says why, in the lines about the breaker 'channels'; it is tried again"
            f" by itself. CHANNELS.deaf_limit_s is {limit_s:g}",
        )
