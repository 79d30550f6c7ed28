"""Any change of any models: one set of files, right on SQLite and on PostgreSQL, there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from fastforge.contrib.db.engine import Engines
from fastforge.contrib.db.migrations.fills import Unfilled
from fastforge.exceptions import ForgeError

from .catalogue import catalogue
from .stories import back_and_there, table
from .world import Define, World, connected, execute, no, run, scalar

pytestmark = pytest.mark.anyio

# Types between which a one is always a value, with it in SQL.
TYPES: dict[str, tuple[Any, str]] = {
    "integer": (sa.Integer, "1"),
    "bigint": (sa.BigInteger, "1"),
    "numeric": (lambda: sa.Numeric(8, 2), "1"),
    "float": (sa.Float, "1"),
    "text": (sa.Text, "'1'"),
    "string": (lambda: sa.String(30), "'1'"),
    "boolean": (sa.Boolean, "true"),
    "json": (sa.JSON, "'1'"),
    "one": (lambda: sa.Enum("1"), "'1'"),
    "two": (lambda: sa.Enum("1", "2"), "'1'"),
}
COLUMN = st.tuples(
    st.sampled_from(sorted(TYPES)),
    st.booleans(),  # nullable
    st.booleans(),  # a server default
    st.sampled_from(["", "index", "unique", "lower", "check"]),
)
TABLE = st.tuples(
    st.dictionaries(st.sampled_from(["a", "b", "order"]), COLUMN, max_size=3),
    st.sampled_from(["", "users_x", "users_y", "blog_z"]),  # refers to
    st.sampled_from([None, "SET NULL", "CASCADE"]),
)
MODELS = st.dictionaries(st.sampled_from(["users_x", "users_y", "blog_z"]), TABLE, max_size=3)
# A type without a cast from the other one, and an enum that lost a value.
REFUSED = ("db.E133", "db.E127")


def define(models: dict[str, Any]) -> Define:
    def defined(metadata: sa.MetaData) -> None:
        for name, (columns, target, ondelete) in models.items():
            made = table(metadata, name)
            for column, (kind, nullable, defaulted, extra) in columns.items():
                add_column(made, column, kind, nullable, defaulted, extra)
            if target in models:
                link = sa.ForeignKey(f"{target}.id", ondelete=ondelete, use_alter=True)
                made.append_column(sa.Column("link_id", link, index=True))

    return defined


def add_column(
    made: sa.Table, name: str, kind: str, nullable: bool, defaulted: bool, extra: str
) -> None:
    make_type, value = TYPES[kind]
    type_ = make_type()
    if isinstance(type_, sa.Enum):
        type_.name = f"{made.name[:4]}_{kind}"  # each app has types of its own
    if kind == "json" and extra != "check":
        extra = ""  # PostgreSQL does not order JSON
    made.append_column(
        sa.Column(
            name,
            type_,
            nullable=nullable,
            server_default=sa.text(value) if defaulted else None,
            index=extra == "index",
            unique=extra == "unique",
        )
    )
    column = made.c[name]
    if extra == "check":
        always = sa.or_(column.is_(None), column.is_not(None))
        made.append_constraint(sa.CheckConstraint(always, name=name))
    if extra == "lower" and kind in ("text", "string"):
        sa.Index(f"ix_{made.name}_{name}_lower", sa.func.lower(column))


def one(unfilled: Unfilled) -> str:
    """The one of a column's type."""
    return next(
        value
        for type_, value in TYPES.values()
        if repr(type_()) == repr(unfilled.column.type)
        or type(type_()) is type(unfilled.column.type)
    )


async def filled(engines: Engines, models: dict[str, Any]) -> None:
    for name, (columns, _, _) in models.items():
        names = ["id", *(f'"{column}"' for column in columns)]
        values = ["1", *(TYPES[kind][1] for kind, *_ in columns.values())]
        await execute(
            engines, f"INSERT INTO {name} ({', '.join(names)}) VALUES ({', '.join(values)})"
        )


async def lived_through(world: World, url: str, before: dict[str, Any], new: Any) -> None:
    """Fill the first state, go to the second, back and there."""
    async with connected(url) as engines:
        if engines.engine.dialect.name == "postgresql":
            await execute(engines, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        await run(engines, World(world.path / "first"))
        await filled(engines, before)
        first = await catalogue(engines)
        await run(engines, world)
        for name in {migration.label for migration in new} and before:
            if any(name in line for line in await catalogue(engines)):
                assert await scalar(engines, f"SELECT count(*) FROM {name}") == 1
        await back_and_there(world, engines, new, first=first)


async def tried(folder: Path, urls: list[str], before: Any, after: Any) -> None:
    world, first = World(folder), World(folder / "first")
    first.make(define(before))
    world.make(define(before))
    try:
        new = world.make(define(after), ask=no, fill=one)
    except ForgeError as error:
        assert error.code in REFUSED, error  # noqa: PT017
        assume(False)
        return
    assert world.missing(define(after)) == ()
    for url in urls if new else ():
        await lived_through(world, url, before, new)


def examples(count: int) -> Any:
    phases = (Phase.explicit, Phase.reuse, Phase.generate)  # to shrink takes minutes
    return settings(max_examples=count, suppress_health_check=list(HealthCheck), phases=phases)


@examples(8)
@given(before=MODELS, after=MODELS)
async def test_files_are_right_on_both_databases(
    tmp_path_factory: pytest.TempPathFactory, postgres_url: str, before: Any, after: Any
) -> None:
    folder = tmp_path_factory.mktemp("world")
    urls = [f"sqlite+aiosqlite:///{folder}/test.sqlite3", postgres_url]
    await tried(folder, urls, before, after)


@pytest.mark.long
@examples(400)
@given(before=MODELS, after=MODELS)
async def test_files_are_right_on_both_databases_many_times(
    tmp_path_factory: pytest.TempPathFactory, postgres_url: str, before: Any, after: Any
) -> None:
    folder = tmp_path_factory.mktemp("world")
    urls = [f"sqlite+aiosqlite:///{folder}/test.sqlite3", postgres_url]
    await tried(folder, urls, before, after)
