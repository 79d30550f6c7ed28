"""Server: what a request costs ours and stock uvicorn's, and how long each starts and stops.

Both serve the same application in one process, by uvloop and httptools, without a line for each
request and without the headers of proxies, so that only the servers differ. Each round starts both
anew, for a process may be faster than its twin as long as it lives, and asks them in turn.
`request-project` is a project, whose edge looks at the headers of a request in place of the server;
`request-workers` is that project with two processes under gunicorn, against uvicorn's own worker
class there, which believes headers of proxies.
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .harness.projects import write_project
from .harness.rows import arguments, interval, row_of, show
from .harness.servers import Clients, Running, Times, Web, request_of

FILES: Final = {
    "bench/settings.py": """
        from fastforge.conf import App
        from fastforge.core.settings import Server

        ALLOWED_HOSTS = ["localhost"]
        INSTALLED_APPS = [App("bench.hello", prefix="")]
        SERVER = Server(drain_s=0)
        """,
    "bench/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application()
        """,
    "bench/hello/__init__.py": "",
    "bench/hello/routes.py": """
        from fastapi import APIRouter

        router = APIRouter()


        @router.get("/orders/{number}")
        async def read(number: int) -> dict[str, int]:
            return {"number": number}
        """,
}
APPLICATION: Final = "benchmarks.baselines.served:app"
PYTHON: Final = sys.executable
MANAGE: Final = str(Path(sys.executable).with_name("manage"))
STOCK: Final = ("--no-access-log", "--no-proxy-headers", "--no-server-header")
FAST: Final = ("--loop", "uvloop", "--http", "httptools")
UVICORN: Final = (PYTHON, "-m", "uvicorn", *STOCK, *FAST, "--log-level", "warning", "--port")
GUNICORN: Final = (PYTHON, "-m", "gunicorn", "--log-level", "warning", "-w", "2", "-k")
READ: Final = request_of("GET", "/orders/7")
CREATE: Final = request_of("POST", "/orders", b'{"product": "book", "count": 2}')

CLIENTS: Final = 16
TURNS: Final = 10
"""How often the two are asked in a round, one after the other."""


OURS: Final = "fastforge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Two servers of one application, and what they are asked.

    Attributes:
        stock: The name of the other one.
        servers: Both, by their names.
        cases: The requests, by the names of their cases.
        requests: How many of each a round has.
        times: The starts and stops of each.
    """

    stock: str
    servers: Mapping[str, Web]
    cases: Mapping[str, bytes]
    requests: int
    times: Mapping[str, Times] = field(default_factory=dict)

    @classmethod
    def of(
        cls, ours: Web, stock: str, server: Web, cases: Mapping[str, bytes], requests: int
    ) -> Contest:
        """Return a contest of ours with another server."""
        servers = {OURS: ours, stock: server}
        times = {name: Times() for name in servers}
        return cls(stock=stock, servers=servers, cases=cases, requests=requests, times=times)

    def costs(self, rounds: int) -> dict[str, dict[str, list[float]]]:
        """Return the CPU microseconds of a request: by case, by server, one for each round."""
        found = {case: {name: list[float]() for name in self.servers} for case in self.cases}
        for turn in range(rounds):
            for case, name, us in self._round(is_turned=turn % 2 == 1):
                found[case][name].append(us)
        return found

    def _round(self, *, is_turned: bool) -> Iterator[tuple[str, str, float]]:
        """Start both, ask them all, and stop them; turned, the second one is the first."""
        names = sorted(self.servers, reverse=is_turned)
        probe = next(iter(self.cases.values()))
        with ExitStack() as processes, ExitStack() as connections:
            running, clients = dict[str, Running](), dict[str, Clients]()
            for name in names:
                server = self.servers[name].running(probe, self.times[name])
                running[name] = processes.enter_context(server)
                clients[name] = Clients(running[name].port, CLIENTS, connections)
            each = max(1, self.requests // TURNS // CLIENTS)
            for case, request in self.cases.items():
                costs = dict.fromkeys(names, 0.0)
                for turn in range(TURNS + 1):
                    for name in names:
                        before_s = running[name].cpu_s()
                        clients[name].ask(request, each)
                        costs[name] += running[name].cpu_s() - before_s if turn else 0
                for name, cpu_s in costs.items():
                    yield case, name, cpu_s * 1e6 / (each * CLIENTS * TURNS)


def main() -> None:
    """Print the rows, and for people what they mean."""
    options = arguments(__doc__)
    rounds, requests = (2, 320) if options.quick else (20, 6400)
    single = Contest.of(
        Web(command=(PYTHON, "-m", "benchmarks.baselines.our_server", APPLICATION, "{port}")),
        "uvicorn",
        Web(command=(*UVICORN, "{port}", APPLICATION)),
        {"request": READ, "request-body": CREATE},
        requests,
    )
    report(single, rounds, as_json=options.json)
    report_times(single, as_json=options.json)
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), FILES)
        for contest in projects(Path(folder), requests):
            report(contest, rounds, as_json=options.json)


def projects(folder: Path, requests: int) -> Iterator[Contest]:
    """Yield what is done with a project: in one process, and in two."""
    env = {
        "FASTFORGE_SETTINGS_MODULE": "bench.settings",
        "FASTFORGE_ENV": "production",
        "SECRET_KEY": "only-for-this-benchmark-0123456789abcdef0123456789abcdef",
    }

    def served(*command: str) -> Web:
        return Web(command=command, folder=folder, env=env)

    yield Contest.of(
        served(MANAGE, "runserver", "{port}", "--workers", "1"),
        "uvicorn",
        served(*UVICORN, "{port}", "bench.asgi:app"),
        {"request-project": READ},
        requests,
    )
    yield Contest.of(
        served(MANAGE, "runserver", "{port}", "--workers", "2"),
        "gunicorn",
        served(
            *GUNICORN, "uvicorn_worker.UvicornWorker", "-b", "127.0.0.1:{port}", "bench.asgi:app"
        ),
        {"request-workers": READ},
        requests,
    )


def report(contest: Contest, rounds: int, *, as_json: bool) -> None:
    """Measure, and print a row for each case, and for people how sure its ratio is."""
    for case, costs in contest.costs(rounds).items():
        ours, stock = costs[OURS], costs[contest.stock]
        row = row_of(
            benchmark="server",
            case=case,
            subject=OURS,
            costs=ours,
            against=contest.stock,
            costs_against=stock,
        )
        show(iter([row]), as_json=as_json)
        if not as_json:
            print(f"{'':10} {verdict_on(ours, stock)}", flush=True)


def verdict_on(ours: list[float], stock: list[float]) -> str:
    """Return how sure a ratio is, and whether there is a difference at all."""
    low, high = interval(ours, stock)
    if math.isinf(high):
        return "too few rounds for an interval"
    verdict = ": not distinguishable" if low <= 1 <= high else ""
    return f"{low:.3f} to {high:.3f} with 95%{verdict}"


def report_times(contest: Contest, *, as_json: bool) -> None:
    """Print what the starts and stops of all rounds have taken."""
    ours, stock = contest.times[OURS], contest.times[contest.stock]
    for case, mine, others in (
        ("start", ours.start_s, stock.start_s),
        ("bind-to-ready", ours.bind_to_ready_s, stock.bind_to_ready_s),
        ("shutdown", ours.stop_s, stock.stop_s),
    ):
        row = row_of(
            benchmark="server",
            case=case,
            subject=OURS,
            costs=mine,
            against=contest.stock,
            costs_against=others,
            unit="s",
            us_per_unit=1e6,
        )
        show(iter([row]), as_json=as_json)
        if not as_json:
            print(f"{'':10} {contest.stock} takes {statistics.median(others):.3f} s", flush=True)


if __name__ == "__main__":
    main()
