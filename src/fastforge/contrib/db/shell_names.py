"""What the shell has of the database: the models and a session."""

from __future__ import annotations

from ...commands.shell import names_of, shell_names
from ...lifecycle import current_container
from .kinds import MODELS
from .sessions.unit import DbSession

__all__ = ["models", "session"]


@shell_names
def models() -> dict[str, object]:
    """Return the models of all apps."""
    return names_of(current_container().registry.components(MODELS))


@shell_names(note="write inside `async with db.atomic():`")
def session(db: DbSession) -> dict[str, object]:
    """Return the one session of the whole shell, and what a query begins with."""
    from sqlalchemy import func, select

    return {"db": db, "select": select, "func": func}
