"""Telling: a report as text for whoever reads a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from .._utils import counted
from .report import Report
from .scenario import Disturbance

__all__ = ["as_text"]


def as_text(report: Report) -> str:
    """Return a report as lines."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield from _setting(report)
    if report.disturbance is not Disturbance.START:
        yield from _requests(report)
    yield from _processes(report)
    yield from _stops(report)
    yield f"log: {counted(report.tracebacks, 'traceback') if report.tracebacks else 'no traceback'}"
    for problem in report.problems:
        yield f"FAILED {problem}"
    if report.problems and report.log:
        yield f"       its log: {report.log}"
    if report.is_clean:
        yield "clean"


def _setting(report: Report) -> Iterator[str]:
    yield f"{report.disturbance.value}: ready after {report.start_s:g} s"
    if report.paths:
        yield f"asked for: {', '.join((*report.paths, *report.sockets_at))}"
    for path, why in report.left_out:
        yield f"left out: {path}: {why}"


def _requests(report: Report) -> Iterator[str]:
    requests = report.requests
    yield f"requests: {requests.ok} answered, {sum(requests.failures.values())} failed"
    for client, count in sorted(requests.answered.items()):
        failed = requests.failed.get(client, {})
        kinds = "".join(f", {many} {outcome}" for outcome, many in sorted(failed.items()))
        yield f"  {client}: {count} answered{kinds}"
    for client in sorted(requests.failed.keys() - requests.answered.keys()):
        kinds = ", ".join(f"{many} {how}" for how, many in sorted(requests.failed[client].items()))
        yield f"  {client}: {kinds}"
    for failure in requests.examples:
        yield f"  {failure.at_s:+.2f} s {failure.client} {failure.path}: {failure.outcome}"
    if requests.lost:
        yield f"  lost with the process that was killed: {requests.lost}"
    if requests.stale:
        yield f"  kept connections found closed before they were used: {requests.stale}"
    for code, count in sorted(report.sockets.items()):
        yield f"web sockets: {count} {code if not code.isdigit() else f'closed with {code}'}"


def _processes(report: Report) -> Iterator[str]:
    for number, seconds in enumerate(report.replaced_s, 1):
        yield f"round {number}: others served after {seconds:g} s"
    for life in report.lives:
        if life.pid in report.killed:
            yield f"process {life.pid}: killed"
        elif life.closed_in_reverse:
            order = " > ".join(life.closed) or "nothing was open"
            yield f"process {life.pid}: closed in reverse: {order}"


def _stops(report: Report) -> Iterator[str]:
    for stop in report.stops:
        end = "it had to be killed" if stop.exit_code is None else f"exit code {stop.exit_code}"
        where = f" {stop.at_s:g} s after its start" if len(report.stops) > 1 else ""
        yield f"SIGTERM{where}: ended after {stop.took_s:g} s of {stop.limit_s:g}, {end}"
