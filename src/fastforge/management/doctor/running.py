"""Running: all examinations of a project side by side, each within the time limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..._utils import failing_line, told
from ...checks import EXAMINATIONS, Diagnosis, Examination, Patient
from ...components import Component
from ...exceptions import ForgeError
from .threads import ForgottenThreads

__all__ = ["Examined", "examine", "worst_first"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What one examination has found.

    Attributes:
        name: Its name.
        app: The label of the app that declares it.
        title: What stands above its rows.
        rows: What it found, in its order.
    """

    name: str
    app: str
    title: str
    rows: tuple[Diagnosis, ...]


async def examine(patient: Patient) -> tuple[Examined, ...]:
    """Return what all examinations find. Never raises for what one of them does.

    Args:
        patient: What is examined.
    """
    asyncio.get_running_loop().set_default_executor(ForgottenThreads())
    components = patient.project.registry.components(EXAMINATIONS)
    with _quiet():
        return tuple(await asyncio.gather(*(_examined(each, patient) for each in components)))


async def _examined(component: Component[Examination], patient: Patient) -> Examined:
    examination = component.value
    rows: list[Diagnosis] = []
    task = asyncio.create_task(_collect(examination, patient, rows))
    # Not `asyncio.timeout`: it waits for whoever takes its time over being cancelled.
    await asyncio.wait({task}, timeout=patient.timeout_s)
    rows = list(rows)  # whoever is left may still add to its own
    if not task.done():
        task.cancel()
        rows.append(_late(patient.timeout_s))
    elif error := task.exception():
        rows.append(_failed(component, error))
    return Examined(
        name=component.name, app=component.app, title=examination.title, rows=tuple(rows)
    )


async def _collect(examination: Examination, patient: Patient, rows: list[Diagnosis]) -> None:
    found: Any = examination.function(patient)
    if isinstance(found, AsyncIterator):
        async for row in found:
            rows.append(row)  # noqa: PERF401 - what is there when time is over counts
    else:
        await asyncio.to_thread(rows.extend, found)


def _late(timeout_s: float) -> Diagnosis:
    return Diagnosis(
        what="time",
        text=f"it was not over within {timeout_s:g} s, and is left",
        verdict="fail",
        hint="see what it waits for, or give it more: --timeout",
    )


def _failed(component: Component[Examination], error: BaseException) -> Diagnosis:
    if isinstance(error, ForgeError):
        return Diagnosis(what="failure", text=error.message, verdict="fail", hint=error.hint)
    where = failing_line(error) or component.location
    return Diagnosis(
        what="failure",
        text=f"the examination {component.name!r} fails: {told(error)}",
        verdict="fail",
        hint=f"mend {where}",
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what libraries say of the same failures from between the rows."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def worst_first(examined: Sequence[Examined]) -> list[tuple[Examined, Diagnosis]]:
    """Return the rows that ask for something, with whose they are: what stops a start first."""
    rows = [(each, row) for each in examined for row in each.rows if row.verdict != "ok"]
    return sorted(rows, key=lambda pair: (not pair[1].stops, pair[1].verdict != "fail"))
