"""Access log: what the line of a request costs, in a whole project and as it is usually written.

The lines go into a pipe that another process reads, as in a container. `handwritten` is the same
route on bare FastAPI with the usual middleware.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from .baselines.middleware_line import add_access_line, configure
from .edge import FILES, Served, access_log_to, bare
from .harness.projects import serving, write_project
from .harness.requests import Application, cpu_us_per_request
from .harness.rows import arguments, interval, row_of, show

LINE_US, AGAINST_NO_LINE, AGAINST_HANDWRITTEN = 6.0, 1.15, 0.5
"""What the line may cost, and a logged request in relation to others."""


def main() -> None:
    """Print the rows, and for people what they mean."""
    options = arguments(__doc__ or "")
    count, rounds = (200, 4) if options.quick else (2000, 20)
    with (
        tempfile.TemporaryDirectory() as folder,
        read_by_another_process() as lines,
        asyncio.Runner() as runner,
    ):
        write_project(Path(folder), FILES)
        manager = serving(Path(folder))
        _, app = runner.run(manager.__aenter__())
        configure(lines)
        usual = bare()
        add_access_line(usual)

        def cost_of(subject: Application) -> Callable[[], float]:
            return lambda: runner.run(cpu_us_per_request(subject, "GET", "/hello", count=count))

        costs = measured(
            {
                "fastforge": cost_of(Served(app, access_log_to(lines))),
                "handwritten": cost_of(usual),
                "without-line": cost_of(Served(app, None)),
            },
            rounds=rounds,
        )
        runner.run(manager.__aexit__(None, None, None))
    rows = (
        row_of(
            benchmark="access_log",
            case="logged-request",
            subject=subject,
            costs=costs[subject],
            against="without-line",
            costs_against=costs["without-line"],
        )
        for subject in ("fastforge", "handwritten")
    )
    show(rows, as_json=options.json)
    if not options.json:
        explain(costs)


def measured(subjects: dict[str, Callable[[], float]], *, rounds: int) -> dict[str, list[float]]:
    """Run every subject once a round, in turn; the first round only warms up."""
    costs: dict[str, list[float]] = {name: [] for name in subjects}
    for turn in range(rounds + 1):
        for name, run in subjects.items():
            cost = run()
            if turn:
                costs[name].append(cost)
    return costs


@contextmanager
def read_by_another_process() -> Iterator[TextIO]:
    """Give a stream whose reader takes what comes, and costs this process nothing."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        assert reader.stdin is not None
        with os.fdopen(os.dup(reader.stdin.fileno()), "w", encoding="utf-8") as lines:
            yield lines
        reader.stdin.close()


def explain(costs: dict[str, list[float]]) -> None:
    """Print the three figures, each with what it may be."""
    logged, bare_us = costs["fastforge"], costs["without-line"]
    line_us = statistics.median(one - other for one, other in zip(logged, bare_us, strict=True))
    print(f"{'':10} the line costs {line_us:.1f} us of CPU (bar: {LINE_US:g})")
    for against, bar in (("without-line", AGAINST_NO_LINE), ("handwritten", AGAINST_HANDWRITTEN)):
        pairs = zip(logged, costs[against], strict=True)
        ratio = statistics.median(one / other for one, other in pairs)
        low, high = interval(logged, costs[against])
        shown = f"{ratio:.3f} (95%: {low:.3f} to {high:.3f})"
        print(f"{'':10} a logged request is {shown} of {against} (bar: {bar:g})")


if __name__ == "__main__":
    main()
