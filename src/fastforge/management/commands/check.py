"""Look for mistakes without starting anything.

The exit code is 1 when something at or above the --fail-level is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Final, Literal

import click

from ...checks import Level, Message, run_checks
from ...commands import Context, command
from ..tables import as_json

__all__ = ["check"]

COLOURS: Final = {Level.ERROR: "red", Level.WARNING: "yellow", Level.INFO: "blue"}


@command(starts="project")
def check(
    *,
    deploy: Annotated[bool, "Also run the checks that matter in production."] = False,
    fail_level: Annotated[
        Literal["error", "warning", "info"], "What makes the exit code 1."
    ] = "error",
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> int:
    """Run the checks of every installed app."""
    found = sorted(run_checks(context.project, deploy=deploy), key=lambda message: -message.level)
    if json:
        context.echo(as_json([_as_dict(message) for message in found]))
    else:
        for message in found:
            context.echo(click.style(str(message), fg=COLOURS[message.level]))
        context.echo(_summary(found))
    return int(any(message.level >= Level[fail_level.upper()] for message in found))


def _as_dict(message: Message) -> dict[str, str | None]:
    return {
        "id": message.id,
        "level": message.level.name.lower(),
        "text": message.text,
        "hint": message.hint,
        "where": str(message.where) if message.where else None,
    }


def _summary(found: Sequence[Message]) -> str:
    if not found:
        return "no problems"
    counts = Counter(message.level for message in found)
    return ", ".join(f"{counts[level]} {level.name.lower()}" for level in sorted(counts)[::-1])
