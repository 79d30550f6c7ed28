"""Greeting: what a client has to say on a web socket to be let stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import orjson

from ..channels.kinds import CHANNELS
from ..channels.settings import Channels

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["ALONE", "greetings"]

ALONE: Final = "no channel that anybody may join has a name without parameters"
"""Why a web socket is left out on which there is nothing to say."""
LONGEST_BYTES: Final = 125
"""A frame of that size has the shortest head, the only one that our clients write."""


def greetings(project: Project) -> Mapping[str, tuple[str, ...]]:
    """Return by the path of a web socket what is said on it first; it may be nothing.

    Who has joined no channel is closed after a while. Clients join what anybody may, and whose
    name is known.
    """
    channels = project.registry.values(CHANNELS)
    if not channels:
        return {}
    patterns = [each.pattern for each in channels if each.bounds.public]
    joins = (
        orjson.dumps({"type": "join", "channel": pattern.text}).decode()
        for pattern in patterns
        if pattern is not None and not pattern.parameters
    )
    section = project.settings.section(Channels)
    fitting = [join for join in joins if len(join.encode()) <= LONGEST_BYTES]
    return {section.path: tuple(fitting[: section.max_joins])}
