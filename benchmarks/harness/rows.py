"""Rows: what every benchmark prints, and how rounds become one row."""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

__all__ = ["Row", "arguments", "compare", "interval", "row_of", "show"]

FEWEST_FREEDOM: Final = 3


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


def arguments(description: str, cases: Iterable[str] = (), **switches: str) -> argparse.Namespace:
    """Read the two options that every benchmark has.

    Args:
        description: What it is.
        cases: Those of one that may be asked for some of them alone, by `--case`.
        switches: Options of one alone, and what they are for.
    """
    parser = argparse.ArgumentParser(description=description)
    if cases:
        told = "one of these alone; may be given several times"
        parser.add_argument("--case", action="append", choices=tuple(cases), help=told)
    for name, told in switches.items():
        parser.add_argument(f"--{name}", action="store_true", help=told)
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
        yield row_of(
            benchmark=benchmark,
            case=case,
            subject=name,
            costs=mine,
            against=against,
            costs_against=costs[against],
            unit=unit,
            us_per_unit=us_per_unit,
        )


def row_of(
    *,
    benchmark: str,
    case: str,
    subject: str,
    costs: Sequence[float],
    against: str,
    costs_against: Sequence[float],
    unit: str = "us",
    us_per_unit: float = 1,
) -> Row:
    """Return the row of what has been measured, one cost a round.

    Args:
        benchmark: The module's name.
        case: What was done.
        subject: Who has done it.
        costs: What it cost the subject, in `unit`.
        against: The subject that it is compared with.
        costs_against: What it cost that one in the same rounds.
        unit: What the costs are in.
        us_per_unit: How many microseconds of CPU time one unit is.
    """
    value = statistics.median(costs)
    ratios = [one / other for one, other in zip(costs, costs_against, strict=True)]
    return Row(
        benchmark=benchmark,
        case=case,
        subject=subject,
        cpu_us=round(value * us_per_unit, 2),
        value=round(value, 3),
        unit=unit,
        ratio=round(statistics.median(ratios), 3),
        against=against,
        rounds=len(costs),
    )


def interval(costs: Sequence[float], costs_against: Sequence[float]) -> tuple[float, float]:
    """Return where the ratio of two costs is, with a probability of 95%.

    By Student's distribution of the logarithms of the ratios, round by round. Of fewer than four
    rounds it has no end.
    """
    logarithms = [math.log(one / other) for one, other in zip(costs, costs_against, strict=True)]
    freedom = len(logarithms) - 1
    if freedom < FEWEST_FREEDOM:
        return 0.0, math.inf
    middle = statistics.fmean(logarithms)
    error = statistics.stdev(logarithms) / math.sqrt(len(logarithms))
    half = _student(freedom) * error
    return math.exp(middle - half), math.exp(middle + half)


def _student(freedom: int) -> float:
    """Return how many errors a 95% interval reaches to each side; from 3 on within 1%."""
    z = statistics.NormalDist().inv_cdf(0.975)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def show(rows: Iterator[Row], *, as_json: bool) -> None:
    """Print rows as they come: a line each, for people or for programs."""
    for row in rows:
        if as_json:
            print(json.dumps(asdict(row)), flush=True)
        else:
            print(
                f"{row.benchmark:10} {row.case:16} {row.subject:20}"
                f" {row.value:>10.2f} {row.unit:3} = {row.ratio:.2f} x {row.against}",
                flush=True,
            )
