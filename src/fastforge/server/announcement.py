"""Announcement: what a server writes to the terminal once it serves."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ..lifecycle import Container
from ..middleware.edge import CONTAINER
from ..observability.logging import process_lines
from ..observability.logging.light import writes_json
from .observer import Observer
from .restarts import say

__all__ = ["Announcer", "write_line"]

logger = logging.getLogger("fastforge.server")


class Announcer(Observer):
    """Writes to the terminal once requests are answered: the banner in development, else a line.

    An application that runs no project of ours has no banner either.

    Args:
        url: Where it listens.
        settings_module: The dotted name of the settings.
        environment: The project's environment.
        facts: What else to say of the server.
        rule: Lines for the log that say why it is one process.
    """

    def __init__(
        self,
        url: str,
        *,
        settings_module: str,
        environment: str,
        facts: Sequence[str] = (),
        rule: Sequence[str] = (),
    ) -> None:
        self._url = url
        self._known = (settings_module, environment)
        self._facts = tuple(facts)
        self._rule = tuple(rule)

    async def serving(self, app: Any, state: Mapping[str, Any]) -> None:
        container = state.get(CONTAINER)
        text = ""
        if isinstance(container, Container) and container.settings.environment == "development":
            text = await self._banner(container, app)
        write_line(text or self._line())
        for line in self._rule:
            say(line)

    async def _banner(self, container: Container, app: Any) -> str:
        from .banner import banner  # nobody waits for it: the server answers already

        try:
            return await banner(container, app, url=self._url, notes=self._facts)
        except Exception:
            logger.warning("the banner failed", exc_info=True)
            return ""

    def _line(self) -> str:
        facts = ", ".join((*filter(None, self._known), *self._facts))
        return f"{self._url} ({facts}; Ctrl-C stops)"


def write_line(text: str) -> None:
    """Write to standard output, where it appears at once; in production as a line of the log."""
    if writes_json():
        logger.info("%s", text)
        process_lines().flush()  # whoever waits for it waits for a server
        return
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
