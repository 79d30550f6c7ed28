"""A driver's error is told apart by the same facts, whatever the driver."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fastforge.contrib.db.errors import Fault, describe
from fastforge.contrib.db.resources import DatabaseConnection

from ..tables import Account, Entry


@pytest.mark.parametrize(
    ("statement", "sqlstate", "constraint", "table", "conflict"),
    [
        (sa.insert(Account).values(id=2, name="a"), "23505", "uq_account_name", "account", True),
        (sa.insert(Account).values(id=1, name="b"), "23505", "pk_account", "account", True),
        (text("INSERT INTO account (name) VALUES (NULL)"), "23502", None, "account", False),
    ],
)
async def test_a_violation_is_described_alike_by_every_driver(
    db: DatabaseConnection,
    statement: Any,
    sqlstate: str,
    constraint: str | None,
    table: str,
    conflict: bool,
) -> None:
    async with db.session().atomic() as session:
        session.add(Account(id=1, name="a"))
    with pytest.raises(DBAPIError) as raised:
        async with db.session().atomic() as session:
            await session.execute(statement)
    fault = describe(raised.value)
    assert (fault.sqlstate, fault.is_conflict) == (sqlstate, conflict)
    if not db.config.is_sqlite:
        assert (fault.constraint, fault.table) == (constraint, table)


async def test_a_deferred_violation_is_described_too(db: DatabaseConnection) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with db.session().atomic() as session:
            await session.execute(sa.insert(Entry).values(account_id=9, text=""))
    fault = describe(raised.value)
    assert fault.sqlstate == "23503"
    assert fault.is_conflict


def test_an_error_of_another_kind_has_no_facts() -> None:
    assert describe(ValueError("x")) == Fault()
    assert not describe(ValueError("x")).is_conflict
