"""Make a user who may do everything.

The password is asked for twice; programs give it by standard input or FASTFORGE_USER_PASSWORD.
"""

from __future__ import annotations

from ....commands import Context, command
from ....lifecycle import injected
from ...db import DbSession
from ..creating import create
from ..options import FieldValues, Login, NoInput, PasswordStdin

__all__ = ["createsuperuser"]


@command
async def createsuperuser(
    login: Login = "",
    /,
    *,
    field: FieldValues = [],  # noqa: B006
    password_stdin: PasswordStdin = False,
    noinput: NoInput = False,
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
