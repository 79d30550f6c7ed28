"""Sequences: those that a column asks for its next number, made and dropped beside the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Sequence, Table

from .change import Change
from .items import table_key
from .raw import RawStatements

__all__ = ["sequence_key", "sequences_dropped", "sequences_made", "sequences_of"]


def sequence_key(sequence: Sequence) -> str:
    """Return the name by which a sequence is known: with its schema when it has one."""
    return table_key(str(sequence.name), sequence.schema)


def sequences_of(tables: Iterable[Table]) -> dict[str, Sequence]:
    """Return the sequences that the columns of models name, by key."""
    defaults = (column.default for table in tables for column in table.columns)
    found = (each for each in defaults if isinstance(each, Sequence) and not each.optional)
    return {sequence_key(sequence): sequence for sequence in found}


def sequences_made(
    before: Mapping[str, Sequence], after: Mapping[str, Sequence]
) -> Iterator[Change]:
    """Yield what makes the sequences that come; only PostgreSQL has some."""
    for key, sequence in after.items():
        if key not in before:
            yield Change(
                upgrade=(_statement("Create", sequence),),
                downgrade=(_statement("Drop", sequence),),
                title="",
            )


def sequences_dropped(
    before: Mapping[str, Sequence], after: Mapping[str, Sequence]
) -> Iterator[Change]:
    """Yield what drops the sequences that go."""
    for change in sequences_made(after, before):
        yield Change(upgrade=change.downgrade, downgrade=change.upgrade, title="")


def _statement(word: str, sequence: Sequence) -> RawStatements:
    options = "".join(
        f", {name}={value!r}"
        for name in ("start", "increment", "minvalue", "maxvalue", "cycle", "cache", "schema")
        if (value := getattr(sequence, name, None)) is not None
    )
    source = f"sa.schema.{word}Sequence(sa.Sequence({str(sequence.name)!r}{options}))"
    return RawStatements(
        'if op.get_context().dialect.name == "postgresql":', f"    op.execute({source})"
    )
