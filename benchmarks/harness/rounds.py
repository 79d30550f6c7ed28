"""Rounds: several servers of one service, asked in turn, and what a request costs each of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from .servers import Clients, Running, Web, answer_of

__all__ = ["CLIENTS", "Cost", "Costs", "Service", "costs_of"]

CLIENTS: Final = 16
TURNS: Final = 10
"""How often all are asked in a round, one after the other."""

Costs = dict[str, dict[str, "Cost"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One who serves, and how it is asked.

    Attributes:
        web: How it is started.
        requests: By the names of the cases.
    """

    web: Web
    requests: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request has cost in one case, in microseconds, one figure for each round.

    Attributes:
        cpu_us: CPU time of the server's processes.
        wall_us: Time until the next one, while all clients ask: a million by the rate.
    """

    cpu_us: list[float] = field(default_factory=list)
    wall_us: list[float] = field(default_factory=list)


def costs_of(
    services: Mapping[str, Service],
    *,
    requests: int,
    rounds: int,
    told: Callable[[int], object] = lambda _: None,
) -> Costs:
    """Return what a request costs: by case, by the name of the server.

    Each round starts all anew, since a process may be faster than its twin as long as it lives,
    and begins with another one.

    Args:
        services: By their names; all have the same cases.
        requests: How many of each a round has.
        rounds: How many rounds.
        told: Called with the number of each round when it is over.

    Raises:
        RuntimeError: The answers are not all the same.
    """
    names = list(services)
    cases = list(services[names[0]].requests)
    found: Costs = {case: {name: Cost() for name in names} for case in cases}
    for turn in range(rounds):
        start = turn % len(names)
        for case, name, cpu_us, wall_us in _round(
            services, names[start:] + names[:start], requests
        ):
            found[case][name].cpu_us.append(cpu_us)
            found[case][name].wall_us.append(wall_us)
        told(turn + 1)
    return found


def _round(
    services: Mapping[str, Service], names: list[str], requests: int
) -> Iterator[tuple[str, str, float, float]]:
    cases = list(services[names[0]].requests)
    with ExitStack() as stack:
        running = dict[str, Running]()
        for name in names:
            service = services[name]
            probe = service.requests[cases[0]]
            running[name] = stack.enter_context(service.web.until_killed(probe))
        for case in cases:
            asked = {name: services[name].requests[case] for name in names}
            _compare(case, {name: answer_of(running[name].port, asked[name]) for name in names})
            for name, figures in _measure(running, asked, requests).items():
                yield case, name, *figures


def _measure(
    running: Mapping[str, Running], asked: Mapping[str, bytes], requests: int
) -> dict[str, tuple[float, float]]:
    """Return CPU and wall time of a request, in microseconds, of all that run."""
    each = max(1, requests // TURNS // CLIENTS)
    cpu_s, wall_s = dict.fromkeys(running, 0.0), dict.fromkeys(running, 0.0)
    for turn in range(TURNS + 1):
        for name, server in running.items():
            # Anew, for while the others are asked some servers close connections that are idle.
            with ExitStack() as stack:
                clients = Clients(server.port, CLIENTS, stack)
                clients.ask(asked[name], 1)
                cpu, wall = server.cpu_s(), time.perf_counter()
                clients.ask(asked[name], each)
                wall, cpu = time.perf_counter() - wall, server.cpu_s() - cpu
            if turn:  # the first one only warms up
                cpu_s[name] += cpu
                wall_s[name] += wall
    count = (each * CLIENTS + 1) * TURNS  # one more measures the length of the answer
    return {name: (cpu_s[name] * 1e6 / count, wall_s[name] * 1e6 / count) for name in running}


def _compare(case: str, answers: Mapping[str, bytes]) -> None:
    """Refuse a comparison of services that do not do the same."""
    told = {name: _without_id(case, json.loads(answer)) for name, answer in answers.items()}
    first, *rest = told
    for name in rest:
        if told[name] != told[first]:
            raise RuntimeError(f"{case}: {name} answers {told[name]}, {first} {told[first]}")


def _without_id(case: str, answer: Any) -> Any:
    # What is created has the next number, another one each time.
    return {**answer, "id": None} if case.startswith("create") else answer
