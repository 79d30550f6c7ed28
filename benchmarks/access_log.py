"""Access log: what the line of a request costs, in a whole project and as it is usually written.

The CPU time of server processes per request, all by our server, in production, with their lines in
a file. `handwritten` is the same route on bare FastAPI with the usual middleware. What the line
takes itself is measured apart, in this process.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TextIO

from .edge import FILES, access_log_to
from .harness.projects import write_project
from .harness.rows import arguments, interval, row_of, show
from .harness.servers import Clients, Running, Times, Web, request_of

LINE_US, AGAINST_NO_LINE, AGAINST_HANDWRITTEN = 6.0, 1.15, 0.5
"""What the line may cost, and a logged request in relation to others."""
CLIENTS: Final = 8
TURNS: Final = 4
LINES: Final = 50
"""How many lines are written together: those of 50 ms at 1000 requests a second."""
SERVE: Final = (sys.executable, "-m", "benchmarks.baselines.logged")
ASGI: Final = "from fastforge.asgi import get_asgi_application\n\napp = get_asgi_application()\n"


def main() -> None:
    """Print the rows, and for people what they mean."""
    options = arguments(__doc__ or "")
    rounds, requests = (4, 640) if options.quick else (20, 6400)
    with tempfile.TemporaryDirectory() as folder:
        subjects = {name: served(Path(folder) / name, name) for name in ("fastforge", "no-line")}
        subjects["handwritten"] = Web(command=(*SERVE, "usual", "{port}"))
        costs = measured(subjects, rounds=rounds, requests=requests)
    rows = (
        row_of(
            benchmark="access_log",
            case="logged-request",
            subject=subject,
            costs=costs[subject],
            against="no-line",
            costs_against=costs["no-line"],
        )
        for subject in ("fastforge", "handwritten")
    )
    show(rows, as_json=options.json)
    if not options.json:
        explain(costs)


def served(folder: Path, name: str) -> Web:
    """Return a project with its line, or without one."""
    settings = FILES["bench/settings.py"]
    if name == "no-line":
        settings += '\n        LOGGING = {"access_line": False}\n'
    write_project(folder, {**FILES, "bench/settings.py": settings, "bench/asgi.py": ASGI})
    env = {
        "FASTFORGE_SETTINGS_MODULE": "bench.settings",
        "FASTFORGE_ENV": "production",
        "SECRET_KEY": "only-for-this-benchmark-0123456789abcdef0123456789abcdef",
    }
    root = str(Path(__file__).resolve().parent.parent)
    paths = os.pathsep.join((str(folder), root, str(Path(root) / "src")))
    return Web(command=(*SERVE, "bench.asgi:app", "{port}"), env={**env, "PYTHONPATH": paths})


def measured(subjects: Mapping[str, Web], *, rounds: int, requests: int) -> dict[str, list[float]]:
    """Ask all servers in turn, and return what a request cost each of them, by round."""
    costs: dict[str, list[float]] = {name: [] for name in subjects}
    request, each = request_of("GET", "/hello"), max(1, requests // TURNS // CLIENTS)
    with ExitStack() as stack:
        running = dict[str, Running]()
        clients = dict[str, Clients]()
        for name, web in subjects.items():
            running[name] = stack.enter_context(web.running(request, Times()))
            clients[name] = Clients(running[name].port, CLIENTS, stack)
        for turn in range(rounds + 1):
            cost = dict.fromkeys(subjects, 0.0)
            for _ in range(TURNS):
                for name, server in running.items():
                    before_s = server.cpu_s()
                    clients[name].ask(request, each)
                    cost[name] += server.cpu_s() - before_s
            if turn:  # the first one only warms up
                for name, cpu_s in cost.items():
                    costs[name].append(cpu_s * 1e6 / (each * CLIENTS * TURNS))
    return costs


async def line_us(nowhere: TextIO, rounds: int = 200) -> float:
    """Return what a line takes itself, its part of being written included."""
    found: list[float] = []
    log = access_log_to(nowhere)
    for _ in range(rounds):
        before_s = time.process_time()
        for number in range(LINES):
            told = ("GET", f"/orders/{number}", "/orders/{number}", 200, 0.0031, "192.0.2.1")
            log.write("018f0000-0000-7000-8000-000000000000", *told, None, 17)
        log.close()
        found.append((time.process_time() - before_s) * 1e6 / LINES)
        await asyncio.sleep(0)
    return statistics.median(found)


def explain(costs: dict[str, list[float]]) -> None:
    """Print the three figures, each with what it may be."""
    logged, without = costs["fastforge"], costs["no-line"]
    added = statistics.median(one - other for one, other in zip(logged, without, strict=True))
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        alone = asyncio.run(line_us(nowhere))
    print(f"{'':10} the line takes {alone:.1f} us of CPU (bar: {LINE_US:g})")
    print(f"{'':10} it adds {added:.1f} us to a request")
    for against, bar in (("no-line", AGAINST_NO_LINE), ("handwritten", AGAINST_HANDWRITTEN)):
        pairs = zip(logged, costs[against], strict=True)
        ratio = statistics.median(one / other for one, other in pairs)
        low, high = interval(logged, costs[against])
        shown = f"{ratio:.3f} (95%: {low:.3f} to {high:.3f})"
        print(f"{'':10} a logged request is {shown} of {against} (bar: {bar:g})")


if __name__ == "__main__":
    main()
