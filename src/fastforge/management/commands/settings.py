"""Show every setting and where it comes from.

The values are those that hold in this environment. Secrets are masked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

from ...commands import Context, command
from ...conf import SettingRow, env_example, settings_report
from ..tables import as_json, listing

__all__ = ["settings"]

COLUMNS: Final = ("setting", "value", "source", "variables")
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
    report = settings_report(context.project.settings)
    rows = map(dataclasses.asdict, report) if json else _lines(report)
    context.echo(listing(rows, COLUMNS, json=json))


def _example(context: Context) -> str:
    return env_example(context.project.settings).removesuffix("\n")


def _lines(report: Iterable[SettingRow]) -> Iterator[dict[str, Any]]:
    for row in report:
        for path, value in _leaves((), row.value):
            name = ".".join(path)
            yield {
                "setting": f"{row.name}.{name}" if name else row.name,
                "value": _shortened(value),
                "source": row.source,
                "variables": ", ".join(row.fields[name] if name else row.variables),
            }


def _shortened(text: str) -> str:
    return text if len(text) <= WIDEST_VALUE else f"{text[: WIDEST_VALUE - 3]}..."


def _leaves(path: tuple[str, ...], value: object) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the path and the value of each field of a section: `DATABASES.default.url`."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    else:
        yield path, as_json(value, indent=None)
