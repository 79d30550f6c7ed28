"""Show every setting and where it comes from.

Secrets are masked.
"""

from __future__ import annotations

import dataclasses
import json as jsonlib
from collections.abc import Iterator
from typing import Annotated, Final

from ...commands import Context, command
from ...conf import env_example, settings_report
from ..tables import as_json, table

__all__ = ["settings"]

WIDEST_VALUE: Final = 60
"""What a table shows of a value, in characters; `--json` has all of it."""


@command(starts="project")
def settings(
    *,
    env_example: Annotated[bool, "Write the text of .env.example in place of the list."] = False,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> None:
    """List the settings that the installed apps read."""
    if env_example:
        context.echo(_example(context))
        return
    rows = list(settings_report(context.project.settings))
    if json:
        context.echo(as_json(map(dataclasses.asdict, rows)))
        return
    cells = (
        (name, _shortened(value), row.source, ", ".join(row.variables))
        for row in rows
        for name, value in _leaves(row.name, row.value)
    )
    context.echo(table(("SETTING", "VALUE", "SOURCE", "VARIABLES"), cells))


def _example(context: Context) -> str:
    return env_example(context.project.settings).removesuffix("\n")


def _shortened(text: str) -> str:
    return text if len(text) <= WIDEST_VALUE else f"{text[: WIDEST_VALUE - 3]}..."


def _leaves(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield a line for each field of a section: `DATABASES.default.url`."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    else:
        yield name, jsonlib.dumps(value, ensure_ascii=False, default=str)
