"""Print the SQL of one migration for the project's database."""

from __future__ import annotations

from typing import Annotated

from ....commands import Context, command

__all__ = ["sqlmigrate"]


@command(starts="project")
def sqlmigrate(
    app: Annotated[str, "The label of the app."],
    migration: Annotated[str, "The migration's name or number."],
    /,
    *,
    context: Context,
    database: Annotated[str, "The database's name in DATABASES."] = "default",
    backwards: Annotated[bool, "Print the SQL that takes it back."] = False,
) -> None:
    """Print the statements of a migration; no database is asked."""
    from ..migrations.plan import PlannedStep
    from ..migrations.project import project_history
    from ..migrations.sql import sql_of
    from ..named import named_database

    history = project_history(context.project)
    step = PlannedStep(migration=history.find(app, migration), forward=not backwards)
    config = named_database(context.project.settings, database)
    dialect_name = "sqlite" if config.is_sqlite else "postgresql"
    context.echo(sql_of(history, step, dialect_name=dialect_name))
