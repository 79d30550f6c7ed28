"""Lives: what each process of a server opened and closed, read from their common diary."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..lifecycle.role import Role

__all__ = ["Life", "read_lives"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One process, as far as it has come.

    Args:
        pid: Its number.
        role: What kind of process it is.
        opened: The resources that it opened, in order.
        closed: Those that it closed, in order.
        stuck: Those that it could not close.
        running: Whether it has come to its work.
        ended: Whether it has closed everything that it was going to close.
    """

    pid: int
    role: str
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    running: bool = False
    ended: bool = False

    @property
    def serves(self) -> bool:
        """Whether it is at its work, as far as it has said."""
        return self.running and not self.ended and self.role == Role.WEB

    @property
    def closed_in_reverse(self) -> bool:
        """Whether everything that was opened was closed, the last first."""
        return self.ended and self.closed == self.opened[::-1]

    def after(self, event: str, resource: str) -> Life:
        """Return it after one more line of the diary."""
        match event:
            case "opened":
                return replace(self, opened=(*self.opened, resource))
            case "closed":
                return replace(self, closed=(*self.closed, resource))
            case "not closed":
                return replace(self, stuck=(*self.stuck, resource))
            case "running":
                return replace(self, running=True)
            case "ended":
                return replace(self, ended=True)
        return self


def read_lives(path: Path) -> tuple[Life, ...]:
    """Return the processes in the order of their starts; none before the first has started."""
    lives: list[Life] = []
    latest: dict[int, int] = {}
    for line in _lines(path):
        pid = line["pid"]
        if line["event"] == "starting":
            latest[pid] = len(lives)
            lives.append(Life(pid=pid, role=line["role"]))
        elif pid in latest:
            index = latest[pid]
            lives[index] = lives[index].after(line["event"], line.get("resource", ""))
    return tuple(lives)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        text = path.read_text(encoding="utf-8")
        # The last one may be half written.
        yield from map(json.loads, text[: text.rfind("\n") + 1].splitlines())
