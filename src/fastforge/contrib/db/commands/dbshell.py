"""Open the database's own shell: sqlite3 or psql.

What stands behind -- is given to that program: dbshell -- -c "SELECT 1"
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

from ...._utils import did_you_mean
from ....commands import Context, command
from ....exceptions import CommandError

if TYPE_CHECKING:
    from ....conf import Settings
    from ..settings import Database

__all__ = ["dbshell"]


@command(starts="nothing")
def dbshell(
    arguments: Annotated[tuple[str, ...], "What the program is given."] = (),
    /,
    *,
    database: Annotated[str, "The database's name in DATABASES."] = "default",
    context: Context,
) -> None:
    """Replace this process by the program; a password is never on its command line."""
    from ....project import Outline
    from ..clients import client_of

    settings = Outline.read(context.settings_module, named_by="--settings").settings
    client = client_of(_database(settings, database), root=settings.root)
    sys.stdout.flush()
    os.execve(client.program, [*client.command, *arguments], os.environ | dict(client.environment))


def _database(settings: Settings, name: str) -> Database:
    databases: dict[str, Database] = settings["DATABASES"]
    if name in databases:
        return databases[name]
    raise CommandError(
        f"DATABASES has no {name!r}",
        code="db.E030",
        hint=did_you_mean(name, databases) or f"it has {', '.join(databases)}",
        where=settings.where("DATABASES"),
    )
