"""Make a user who may do everything.

The password is asked for twice; programs give it by standard input or FASTFORGE_USER_PASSWORD.
"""

from __future__ import annotations

from typing import Annotated

from ....commands import Context, command
from ....lifecycle import injected
from ...db import DbSession
from ..creating import create

__all__ = ["createsuperuser"]


@command
async def createsuperuser(
    login: Annotated[str, "What they log in by; asked for unless given."] = "",
    /,
    *,
    field: Annotated[list[str], "NAME=VALUE: another column of the user."] = [],  # noqa: B006
    password_stdin: Annotated[bool, "Take the password from standard input."] = False,
    noinput: Annotated[bool, "Ask for nothing; what is missing is an error."] = False,
    context: Context,
    db: DbSession = injected,
) -> None:
    """Make the row; the rules for passwords hold here as well."""
    user = await create(
        db,
        login,
        field,
        from_stdin=password_stdin,
        ask=not noinput,
        is_superuser=True,
    )
    context.echo(f"created: {user.login} (id {user.id})")
