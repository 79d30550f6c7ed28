"""Show the apps and all that they declare.

Each line has the kind, the name, the app and the place in the source. With a name, the fields of
that one thing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from ..._utils import did_you_mean
from ...commands import Context, command
from ...exceptions import CommandError
from ..entries import Entry, entries_of
from ..tables import as_json, listing

__all__ = ["inspect"]

COLUMNS: Final = ("kind", "name", "app", "where")


@command(starts="project")
def inspect(
    kind: Annotated[str, "One family, for example apps, settings or tasks; all unless given."] = "",
    name: Annotated[str, "One of the family; all unless given."] = "",
    /,
    *,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> None:
    """List the components of one kind or of all, or show one of them."""
    kinds = entries_of(context.project)
    if kind and kind not in kinds:
        raise CommandError(
            f"there is nothing of the kind {kind!r} in this project",
            code="management.E009",
            hint=did_you_mean(kind, kinds) or f"it has {', '.join(kinds)}",
        )
    entries = [entry for each in ([kind] if kind else kinds) for entry in kinds[each]()]
    if name:
        context.echo(_shown(_named(name, kind, entries), json=json))
    else:
        context.echo(_listed(entries, with_facts=bool(kind), json=json))


def _listed(entries: Sequence[Entry], *, with_facts: bool, json: bool) -> str:
    """Return the list; of one kind alone with what there is to know of it besides."""
    facts = dict.fromkeys(name for entry in entries for name in entry.facts)
    if json or not (with_facts and facts):
        return listing((entry.row() for entry in entries), COLUMNS, json=json)
    columns = ("name", *facts, "where")
    return listing(
        (line for entry in entries for line in _lines(entry, columns)), columns, json=json
    )


def _lines(entry: Entry, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    row = entry.row()
    cells = [row[name] if isinstance(row[name], list) else [row[name]] for name in columns]
    for line in itertools.zip_longest(*cells, fillvalue=""):
        yield {name: _text(cell) for name, cell in zip(columns, line, strict=True)}


def _named(name: str, kind: str, entries: Sequence[Entry]) -> Entry:
    """Return the entry of a name; its last part is enough where no other has it."""
    exact = [entry for entry in entries if entry.name == name]
    short = [entry for entry in entries if entry.name.rpartition(".")[2] == name]
    for found in (exact, short):
        if len(found) == 1:
            return found[0]
    names = [entry.name for entry in entries]
    parts = [entry.name.rpartition(".")[2] for entry in entries]
    several = f"write one of {', '.join(entry.name for entry in short)}" if short else ""
    raise CommandError(
        f"there is no {name!r} among the {kind} of this project",
        code="management.E026",
        hint=several or did_you_mean(name, [*names, *parts]) or f"`inspect {kind}` lists them",
    )


def _shown(entry: Entry, *, json: bool) -> str:
    from ..details import details_of  # of FastAPI's classes, which a list does without

    details = details_of(entry.value)
    if json:
        return as_json({**entry.row(), "fields": details})
    facts = {
        name: each for name, each in _flat({**entry.row(), **details}) if each not in (None, "")
    }
    width = max(map(len, facts))
    return "\n".join(f"{name:<{width}}  {_text(value)}" for name, value in facts.items())


def _flat(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every fact with the path to it: `value.default.url`."""
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, datetime):
        return f"{value:%a %Y-%m-%d %H:%M:%S %Z}".replace(":00 ", " ")
    return value if isinstance(value, str) else as_json(value, indent=None)
