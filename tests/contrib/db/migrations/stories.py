"""From one state of the models to another, on a database with rows, back, and there again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from fastforge.contrib.db.engine import Engines
from fastforge.contrib.db.migrations.fills import Fill, nobody_fills
from fastforge.contrib.db.migrations.plan import ZERO, Target
from fastforge.contrib.db.migrations.questions import Suspicion
from fastforge.contrib.db.migrations.writer import NewMigration

from .catalogue import catalogue
from .world import Define, World, execute, nobody, run

USER = "INSERT INTO users_user (id, email) VALUES (1, 'a')"
POST = "INSERT INTO blog_post (id, author_id, title) VALUES (1, 1, 't')"


async def changed(
    world: World,
    engines: Engines,
    before: Define,
    after: Define,
    *,
    rows: Sequence[str] = (USER,),
    ask: Callable[[Suspicion], bool | None] = nobody,
    fill: Fill = nobody_fills,
) -> tuple[NewMigration, ...]:
    """Apply the first state, write rows, make and apply what leads to the second.

    The files that were made are right: looked at again, nothing is missing.
    """
    world.make(before)
    assert world.missing(before) == ()
    await run(engines, world)
    await execute(engines, *rows)
    new = world.make(after, ask=ask, fill=fill)
    assert new
    assert world.missing(after) == ()
    await run(engines, world)
    return new


async def back_and_there(
    world: World, engines: Engines, new: Sequence[NewMigration], *, first: list[str] | None = None
) -> None:
    """Take files back and apply them again: the catalogue says what it said before.

    `first` is what it said before they were applied at all; a value of an enum type stays.
    """
    there = await catalogue(engines)
    ids = {migration.id for migration in new}
    # As they depend on each other: to go to one applies again what it requires of another app.
    for migration in reversed([each for each in world.history if each.id in ids]):
        name = migration.previous[0].partition(".")[2] if migration.previous else ZERO
        await run(engines, world, Target(label=migration.label, name=name))
    back = await catalogue(engines)
    other = set() if first is None else set(back) ^ set(first)
    assert not other, sorted(other)
    await run(engines, world)
    other = set(await catalogue(engines)) ^ set(there)
    assert not other, sorted(other)


def table(metadata: sa.MetaData, name: str, *parts: Any, **options: Any) -> sa.Table:
    """A table with an id."""
    key = sa.Column("id", sa.Integer, primary_key=True)
    return sa.Table(name, metadata, key, *parts, **options)
