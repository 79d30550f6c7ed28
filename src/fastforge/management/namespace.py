"""Namespace: the names at hand in the shell, and the lines that say which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .. import __version__
from ..lifecycle import RESOURCES
from ..project import Project
from .live import LiveProject

__all__ = ["namespace_and_banner"]

MOST_SHOWN: Final = 12
"""How many names of one group the banner shows."""


def namespace_and_banner(project: Project, live: LiveProject) -> tuple[dict[str, Any], str]:
    """Return the shell's names with their values, and its first lines.

    Of two things with one name the first in this order has it: what every shell has, what the
    apps put at hand, the resources.
    """
    always = {"project": project, "container": live.container, "settings": project.settings}
    names: dict[str, Any] = {"__name__": "__console__", "__doc__": None, **always}
    parts = [_add(names, group.name, group.values, group.note) for group in live.groups]
    opened = {each.name: live.container[each] for each in live.container.resources}
    parts.append(_add(names, "resources", opened, ""))
    parts.append(", ".join(always))
    settings = project.settings
    first = f"fastforge {__version__} on {settings.module}, {settings.environment}"
    lines = [f"{first}. `await` works, Ctrl-D ends.", "; ".join(filter(None, parts))]
    return names, "\n".join([*lines, *_absent(live)])


def _add(names: dict[str, Any], group: str, values: Mapping[str, object], note: str) -> str:
    """Put values at hand and return how the banner names them."""
    added = [name for name in values if name.isidentifier() and name not in names]
    names.update({name: values[name] for name in added})
    behind = f" ({note})" if note else ""
    return f"{group}: {_listed(added)}{behind}" if added or note else ""


def _listed(names: Iterable[str]) -> str:
    first, rest = [*names][:MOST_SHOWN], [*names][MOST_SHOWN:]
    return ", ".join([*first, *([f"{len(rest)} more"] if rest else [])])


def _absent(live: LiveProject) -> Iterator[str]:
    container = live.container
    for resource in container.registry.values(RESOURCES):
        if container.role in resource.roles and resource not in container:
            yield f"{resource.name} is not available; it is tried again in the background"
