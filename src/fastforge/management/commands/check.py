"""Look for mistakes without starting anything.

With --database or --redis it connects to these servers and looks at what they say. The exit code
is 1 when something at or above the --fail-level is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import click

from ...checks import CHECKS, Check, Connects, Findings, Level, Message, run_checks
from ...commands import Context, command
from ...observability.tracebacks import tracebacks_are_wanted
from ..tables import as_json, listing

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["check"]

COLOURS: Final = {Level.ERROR: "red", Level.WARNING: "yellow", Level.INFO: "blue"}
COLUMNS: Final = ("check", "app", "tags", "runs", "where")


@command(starts="project")
def check(
    *,
    deploy: Annotated[bool, "Also run the checks that matter in production."] = False,
    database: Annotated[bool, "Also run the checks that connect to the databases."] = False,
    redis: Annotated[bool, "Also run the checks that connect to Redis."] = False,
    tag: Annotated[list[str], "Run only checks about this; may be repeated."] = [],  # noqa: B006
    fail_level: Annotated[
        Literal["error", "warning", "info"], "What makes the exit code 1."
    ] = "error",
    list: Annotated[bool, "Show the checks and their tags, and run none."] = False,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> int:
    """Run the checks of every installed app."""
    project = context.project
    if list:
        context.echo(listing(_checks(project), COLUMNS, json=json))
        return 0
    asked: dict[Connects, bool] = {"database": database, "redis": redis}
    found = run_checks(
        project,
        deploy=deploy,
        connecting=[name for name, is_asked in asked.items() if is_asked],
        tags=tag,
        raise_errors=tracebacks_are_wanted(),
    )
    if json:
        context.echo(as_json(_as_dict(found)))
    else:
        for message in found:
            context.echo(click.style(str(message), fg=COLOURS[message.level]))
        context.echo(_summary(found))
    return int(any(message.level >= Level[fail_level.upper()] for message in found))


def _checks(project: Project) -> Iterator[dict[str, str]]:
    for component in project.registry.components(CHECKS):
        yield {
            "check": component.name,
            "app": component.app,
            "tags": ", ".join(sorted(component.value.tags)),
            "runs": _when(component.value),
            "where": str(component.location),
        }


def _when(check: Check) -> str:
    options = [f"--{check.connects}"] if check.connects else []
    options += ["--deploy"] if check.deploy else []
    return f"with {' '.join(options)}" if options else "always"


def _as_dict(found: Findings) -> dict[str, Any]:
    return {
        "messages": [_message(message) for message in found],
        "silenced": len(found.silenced),
        "ran": found.ran,
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "level": message.level.name.lower(),
        "text": message.text,
        "hint": message.hint,
        "where": str(message.where) if message.where else None,
        "tags": sorted(message.tags),
    }


def _summary(found: Findings) -> str:
    if not found.ran:  # with --tag alone: some checks always run
        return "no check ran: those with this tag need an option, which --list shows"
    counts = Counter(message.level for message in found)
    parts = [_counted(counts[level], level) for level in sorted(counts, reverse=True)]
    silenced = [f"{len(found.silenced)} silenced"] if found.silenced else []
    return ", ".join([*(parts or ["no problems"]), *silenced])


def _counted(number: int, level: Level) -> str:
    many = number > 1 and level is not Level.INFO
    return f"{number} {level.name.lower()}{'s' * many}"
