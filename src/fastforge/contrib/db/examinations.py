"""Examination of the databases: whether they answer, how quickly, and what they have room for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Final

from ...checks import Diagnosis, Level, Message, Patient, examination
from ...checks.asking import answers_within
from ...core.examinations.host import free_space
from .engine import target_of
from .inspection.budgeting import budget_problems
from .inspection.findings import (
    file_problems,
    limit_problems,
    migration_problems,
    pooler_problems,
)
from .inspection.inspecting import Inspected, inspect_database
from .readiness import is_waited_for
from .resources import database, databases, migration_watch
from .settings import Database

__all__ = ["databases_are_well"]

SLOW_S: Final = 0.05
"""Where each statement takes this, a request of ten takes half a second."""
UTF8: Final = "UTF8"


@examination(title="Databases", resources=(database, databases, migration_watch))
async def databases_are_well(patient: Patient) -> AsyncIterator[Diagnosis]:
    """Ask each database side by side, then add up what all of them have to bear."""
    project, limit_s = patient.project, patient.timeout_s * 0.8
    configs: Mapping[str, Database] = project.settings["DATABASES"]
    answers = await answers_within(
        limit_s,
        (
            inspect_database(
                project,
                name,
                config,
                now=patient.now,
                # Less than the whole, so that it can say why it does not answer.
                connect_timeout_s=min(config.connect_timeout_s, limit_s * 0.9),
            )
            for name, config in configs.items()
        ),
    )
    for (name, config), found in zip(configs.items(), answers, strict=True):
        if found is None:
            yield _silent(name, config, limit_s)
        else:
            for row in _rows(patient, found):
                yield row
    known = tuple(each for each in answers if each is not None)
    for message in budget_problems(project, known):
        yield Diagnosis.told_by(message, "connections")


def _silent(name: str, config: Database, limit_s: float) -> Diagnosis:
    return Diagnosis(
        what="server",
        text=f"{target_of(config)} does not answer within {limit_s:g} s",
        verdict="fail" if config.required else "warn",
        hint="see whether it runs, and whether a firewall lets this host through",
        of=f"database {name}",
        stops=config.required,
    )


def _rows(patient: Patient, database: Inspected) -> Iterator[Diagnosis]:
    of = f"database {database.name}"
    if database.failure is not None:
        yield _away(database, of)
        return
    yield from _identity(database, of)
    yield from _vitals(database, of)
    yield from _told(database, of)
    yield from _migrations(patient, database, of)


def _away(database: Inspected, of: str) -> Diagnosis:
    assert database.failure is not None
    return Diagnosis(
        what="server",
        text=database.failure.message,
        verdict="fail" if database.config.required else "warn",
        hint=database.failure.hint,
        of=of,
        stops=database.config.required,
    )


def _identity(database: Inspected, of: str) -> Iterator[Diagnosis]:
    package = database.config.driver.package
    driver = f"through {package} {version(package)}"
    if database.server is not None:
        server = f"PostgreSQL {database.server.version} {driver}, {target_of(database.config)}"
        is_wrong = database.server.is_read_only and not database.config.read_only
        yield Diagnosis(
            what="server",
            text=f"{server}{': nothing can be written there' if is_wrong else ''}",
            verdict="fail" if is_wrong else "ok",
            hint="name the primary, or write Database(..., read_only=True)",
            of=of,
        )
    elif database.file is not None:
        mode = f"journal mode {database.file.journal_mode}"
        text = f"SQLite {database.file.version} {driver}, {mode}, {database.path}"
        yield Diagnosis(what="file", text=text, of=of)
    if database.path is not None:
        yield free_space(database.path.parent, "disk", of=of)


def _vitals(database: Inspected, of: str) -> Iterator[Diagnosis]:
    vitals = database.vitals
    if vitals is None:
        return
    yield Diagnosis(
        what="latency",
        text=f"{vitals.latency_s * 1000:.2f} ms for the smallest statement",
        verdict="warn" if vitals.latency_s > SLOW_S else "ok",
        hint="let the processes run near the database: each statement takes that long",
        of=of,
    )
    if vitals.clock is not None:
        yield vitals.clock.diagnosis(of=of)
    if vitals.encoding:
        yield Diagnosis(
            what="text",
            text=f"{vitals.encoding}, time zone {vitals.time_zone}",
            verdict="ok" if vitals.encoding == UTF8 else "warn",
            hint="make a database with ENCODING 'UTF8': others refuse most of the world's letters",
            of=of,
        )


def _told(database: Inspected, of: str) -> Iterator[Diagnosis]:
    """Yield what the checks with `--database` say, and that there is nothing to say."""
    limits, pooler = list(limit_problems(database)), list(pooler_problems(database))
    yield from (Diagnosis.told_by(message, "limits", of=of) for message in limits)
    if database.server is not None and not limits:
        yield Diagnosis(what="limits", text="hold there as the settings say", of=of)
    yield from (Diagnosis.told_by(message, "pooler", of=of) for message in pooler)
    if database.server is not None and not pooler:
        text = "one, in transactions" if database.server.is_pooled else "none between"
        yield Diagnosis(what="pooler", text=text, of=of)
    yield from (Diagnosis.told_by(message, "file", of=of) for message in file_problems(database))


def _migrations(patient: Patient, database: Inspected, of: str) -> Iterator[Diagnosis]:
    found: list[Message] = list(migration_problems(database))
    stops = is_waited_for(database.config, patient.project.settings.environment)
    for message in found:
        row = Diagnosis.told_by(message, "migrations", of=of)
        if message.level >= Level.WARNING and stops:  # no process is ready before
            row = replace(row, verdict="fail")
        yield row
    if database.difference is not None and not found:
        yield Diagnosis(what="migrations", text="all are applied", of=of)
