"""Open the database's own shell: sqlite3 or psql.

What stands behind -- is given to that program: dbshell -- -c "SELECT 1"
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

from ....commands import Context, command

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
    from ..named import named_database

    settings = Outline.read(context.settings_module, named_by="--settings").settings
    client = client_of(named_database(settings, database), root=settings.root)
    sys.stdout.flush()
    os.execve(client.program, [*client.command, *arguments], os.environ | dict(client.environment))
