"""Budget: the connections that all processes may take together, against what there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ....conf import Settings
from ....core.settings import Server
from ....tasks.settings import Tasks
from ..settings import Database
from .server import Limited, ServerFacts

__all__ = ["Budget", "Processes", "budgets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """How many processes have a pool, on all hosts together."""

    servers: int
    workers: int

    @classmethod
    def of(cls, settings: Settings, *, has_work: bool) -> Processes:
        """Return what the settings say.

        Args:
            settings: The project's settings.
            has_work: Whether there is anything for workers to do.
        """
        workers = settings.section(Tasks).processes if has_work else 0
        return cls(servers=settings.section(Server).processes, workers=workers)

    @property
    def total(self) -> int:
        """All of them."""
        return self.servers + self.workers

    def __str__(self) -> str:
        workers = f" + {_counted(self.workers, 'worker')}" if self.workers else ""
        text = f"{_counted(self.servers, 'server')}{workers}"
        return f"({text})" if workers else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is wanted of one thing that may have only so many connections.

    Attributes:
        limited: What it is.
        wanted: How many connections all processes together may take of it.
        sum: How that number comes about.
    """

    limited: Limited
    wanted: int
    sum: str

    @property
    def free(self) -> int | None:
        """How many there are for this project; None for any number."""
        return None if self.limited.most is None else self.limited.most - self.limited.others

    def fits(self, times: int = 1) -> bool:
        """Return whether there are enough, also for so many deployments side by side."""
        return self.free is None or self.wanted * times <= self.free

    def __str__(self) -> str:
        limited = self.limited
        others = f" - {limited.others} that others have now" if limited.others else ""
        return (
            f"{self.sum} = {_counted(self.wanted, 'connection')}, and {limited.name} has"
            f" {self.free}: {limited.reason}{others}"
        )


def budgets(
    configs: Mapping[str, Database],
    facts: Mapping[str, ServerFacts],
    processes: Processes,
    environment: str,
) -> Iterator[Budget]:
    """Yield the budget of each server, user and database that limits connections.

    Databases behind a pooler are left out: it has a budget of its own with the server.

    Args:
        configs: The databases of the project by name.
        facts: What is known of those that could be asked.
        processes: How many processes have a pool of each.
        environment: The project's, which decides about the overflow.
    """
    shared: dict[tuple[str, str], list[tuple[str, Limited]]] = {}
    for name, each in facts.items():
        if not (each.is_pooled or configs[name].pooler):
            for limited in (each.server, each.role, each.database):
                shared.setdefault((each.identity, limited.name), []).append((name, limited))
    for sharing in shared.values():
        if sharing[0][1].most is not None:
            pools = [(name, _pool(configs[name], environment)) for name, _ in sharing]
            yield _budget(sharing[0][1], pools, processes)


def _budget(
    limited: Limited, pools: Sequence[tuple[str, tuple[int, int]]], processes: Processes
) -> Budget:
    each = sum(size + overflow for _, (size, overflow) in pools)
    parts = ", ".join(
        (f"{name} " if len(pools) > 1 else "") + f"pool_size {size} + max_overflow {overflow}"
        for name, (size, overflow) in pools
    )
    return Budget(limited=limited, wanted=processes.total * each, sum=f"{processes} x ({parts})")


def _pool(config: Database, environment: str) -> tuple[int, int]:
    overflow = config.max_overflow
    if overflow is None:
        overflow = config.defaults_in(environment)["max_overflow"]
    return config.pool_size, overflow


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
