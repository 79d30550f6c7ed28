"""Rows: what every benchmark prints, and how rounds become one row."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

__all__ = ["Row", "arguments", "compare", "show"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One subject in one case.

    `value` is the median over the rounds in `unit`, `cpu_us` the CPU time behind one operation,
    and `ratio` the median of (subject / against) taken round by round: a cost, lower is better.
    """

    benchmark: str
    case: str
    subject: str
    cpu_us: float
    value: float
    unit: str
    ratio: float
    against: str
    rounds: int


def arguments(description: str) -> argparse.Namespace:
    """Read the two options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="few rounds: does it run at all")
    return parser.parse_args()


def compare(
    *,
    benchmark: str,
    case: str,
    subjects: Mapping[str, Callable[[], float]],
    against: str,
    rounds: int,
    unit: str = "us",
    us_per_unit: float = 1,
) -> Iterator[Row]:
    """Run every subject once a round, in turn, and yield its row.

    Args:
        benchmark: The module's name.
        case: What is done.
        subjects: Each runs once and returns its cost in `unit`.
        against: The subject that the others are compared with.
        rounds: How many rounds, after one that only warms up.
        unit: What the subjects return.
        us_per_unit: How many microseconds of CPU time one unit is.
    """
    costs: dict[str, list[float]] = {name: [] for name in subjects}
    for turn in range(rounds + 1):
        for name, run in subjects.items():
            cost = run()
            if turn:
                costs[name].append(cost)
    for name, mine in costs.items():
        if name == against and len(costs) > 1:
            continue
        pairs = zip(mine, costs[against], strict=True)
        value = statistics.median(mine)
        yield Row(
            benchmark=benchmark,
            case=case,
            subject=name,
            cpu_us=round(value * us_per_unit, 2),
            value=round(value, 3),
            unit=unit,
            ratio=round(statistics.median(one / other for one, other in pairs), 3),
            against=against,
            rounds=rounds,
        )


def show(rows: Iterator[Row], *, as_json: bool) -> None:
    """Print rows as they come: a line each, for people or for programs."""
    for row in rows:
        if as_json:
            print(json.dumps(asdict(row)), flush=True)
        else:
            print(
                f"{row.benchmark:10} {row.case:16} {row.subject:12}"
                f" {row.value:>10.2f} {row.unit:3} = {row.ratio:.2f} x {row.against}",
                flush=True,
            )
