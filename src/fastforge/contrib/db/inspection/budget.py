"""Budget: the connections that all processes may take together, against what there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ....conf import Settings
from ....core.processes import servers_of
from ....lifecycle import Role
from ....tasks.settings import Tasks
from ..extra_pools import ExtraPool
from ..settings import Database
from .server import Limited, ServerFacts

__all__ = ["Budget", "Processes", "budgets"]

NOUNS: Final = MappingProxyType({Role.WEB: "server", Role.WORKER: "worker"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """How many processes have pools, on all hosts together."""

    servers: int
    workers: int

    @classmethod
    def of(cls, settings: Settings, *, has_work: bool, isolates: bool = False) -> Processes:
        """Return what the settings say.

        Args:
            settings: The project's settings.
            has_work: Whether there is anything for workers to do.
            isolates: Whether workers have processes for isolated jobs besides.
        """
        tasks = settings.section(Tasks)
        each = 1 + tasks.isolated_processes if isolates else 1
        workers = tasks.processes * each if has_work else 0
        return cls(servers=servers_of(settings), workers=workers)

    def __iter__(self) -> Iterator[tuple[Role, int]]:
        yield Role.WEB, self.servers
        if self.workers:
            yield Role.WORKER, self.workers


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
            f" {self.free} for them: {limited.reason}{others}"
        )


def budgets(
    configs: Mapping[str, Database],
    facts: Mapping[str, ServerFacts],
    processes: Processes,
    *,
    extra: Sequence[ExtraPool] = (),
    environment: str,
) -> Iterator[Budget]:
    """Yield the budget of each server, user and database that limits connections.

    Databases behind a pooler are left out: it has a budget of its own with the server.

    Args:
        configs: The databases of the project by name.
        facts: What is known of those that could be asked.
        processes: How many processes have a pool of each.
        extra: What apps take besides.
        environment: The project's, which decides about the overflow.
    """
    shared: dict[tuple[str, str], tuple[Limited, list[str]]] = {}
    for name, each in facts.items():
        if not (each.is_pooled or configs[name].pooler):
            for limited in (each.server, each.role, each.database):
                _, names = shared.setdefault((each.identity, limited.name), (limited, []))
                names.append(name)
    for limited, names in shared.values():
        if limited.most is not None:
            used = {name: _pool(configs[name], environment) for name in names}
            yield _budget(limited, used, processes, extra)


def _budget(
    limited: Limited,
    pools: Mapping[str, tuple[int, int]],
    processes: Processes,
    extra: Sequence[ExtraPool],
) -> Budget:
    wanted, parts = 0, []
    for role, number in processes:
        more = [pool for pool in extra if pool.database in pools and role in pool.roles]
        wanted += number * sum(size + overflow for size, overflow in pools.values())
        wanted += number * sum(pool.connections for pool in more)
        parts.append(f"{_counted(number, NOUNS[role])} x ({_sum(pools, more)})")
    return Budget(limited=limited, wanted=wanted, sum=" + ".join(parts))


def _sum(pools: Mapping[str, tuple[int, int]], more: Sequence[ExtraPool]) -> str:
    own = (
        f"{f'{name} ' if len(pools) > 1 else ''}pool_size {size} + max_overflow {overflow}"
        for name, (size, overflow) in pools.items()
    )
    return " + ".join([*own, *(f"{pool.name} {pool.connections}" for pool in more)])


def _pool(config: Database, environment: str) -> tuple[int, int]:
    overflow = config.max_overflow
    if overflow is None:
        overflow = config.defaults_in(environment)["max_overflow"]
    return config.pool_size, overflow


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
