"""What the database does not have is named alike, whatever the driver."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fastforge.contrib.db.faults.missing import schema_missing
from fastforge.contrib.db.resources import DatabaseConnection


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("SELECT * FROM notes_note", "the table 'notes_note'"),
        ("INSERT INTO notes_note (id) VALUES (1)", "the table 'notes_note'"),
        ("SELECT account.title FROM account", "the column 'account.title'"),
        ("INSERT INTO account (title) VALUES ('')", "the column 'account.title'"),
        ("UPDATE account SET title = ''", "title'"),
    ],
)
async def test_what_the_database_does_not_have_is_named_alike_by_every_driver(
    db: DatabaseConnection, statement: str, what: str
) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with db.session().atomic() as session:
            await session.execute(text(statement))
    error = str(schema_missing(raised.value))
    assert error.startswith("[db.E026] the ")
    assert f"{what} does not exist; run: manage migrate" in error


async def test_another_mistake_in_a_statement_is_no_missing_table(db: DatabaseConnection) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with db.session().atomic() as session:
            await session.execute(text("SELEC 1"))
    assert schema_missing(raised.value) is None
    assert schema_missing(ValueError("no such table: x")) is None
