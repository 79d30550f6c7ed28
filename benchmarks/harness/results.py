"""Results: every figure of a run with what it ran on, kept in a file that pages are made from."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from .rounds import Cost, Costs

__all__ = ["FILE", "Results"]

FILE: Final = Path(__file__).resolve().parents[1] / "results" / "peers.json"
NAMED: Final = ("fastapi", "starlette", "uvicorn", "sqlalchemy", "asyncpg", "redis", "structlog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A run.

    Attributes:
        day: When it was, as 2026-11-30.
        machine: On what, in words.
        versions: Of whom.
        costs: By case and subject, one figure for each round.
    """

    day: str
    machine: str
    versions: Mapping[str, str]
    costs: Costs

    @classmethod
    def of(cls, costs: Costs, peers: Sequence[str]) -> Results:
        """Return what was measured now.

        Args:
            costs: The figures.
            peers: What was installed for the run only, as pip takes it.
        """
        versions = {"python": platform.python_version()}
        versions |= {name: version(name) for name in NAMED}
        versions |= dict(map(_parts, peers))
        return cls(
            day=datetime.now(UTC).date().isoformat(),
            machine=f"{platform.system()}, {os.cpu_count()} cores",
            versions=versions,
            costs=costs,
        )

    @classmethod
    def read(cls, file: Path = FILE) -> Results:
        """Return those of a file."""
        kept = json.loads(file.read_text(encoding="utf-8"))
        costs = {
            case: {name: Cost(**cost) for name, cost in subjects.items()}
            for case, subjects in kept.pop("costs").items()
        }
        return cls(**kept, costs=costs)

    def write(self, file: Path = FILE) -> None:
        """Keep them, with a figure for each round to a tenth of a microsecond."""
        kept = asdict(self)
        for subjects in kept["costs"].values():
            for cost in subjects.values():
                cost |= {name: [round(us, 1) for us in figures] for name, figures in cost.items()}
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _parts(peer: str) -> tuple[str, str]:
    """Return name and version of `name[extra]==version`."""
    name, _, number = peer.partition("==")
    return name.partition("[")[0].lower(), number
