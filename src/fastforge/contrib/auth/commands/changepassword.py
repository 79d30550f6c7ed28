"""Give a user another password.

It is asked for twice; programs give it by standard input or FASTFORGE_USER_PASSWORD.
"""

from __future__ import annotations

from ....commands import Context, command
from ....lifecycle import injected
from ...db import DbSession
from ..creating import change_password
from ..options import Login, NoInput, PasswordStdin

__all__ = ["changepassword"]


@command
async def changepassword(
    login: Login = "",
    /,
    *,
    password_stdin: PasswordStdin = False,
    noinput: NoInput = False,
    context: Context,
    db: DbSession = injected,
) -> None:
    """Change the row; what was given to the user before counts no more."""
    user = await change_password(db, login, from_stdin=password_stdin, ask=not noinput)
    context.echo(f"changed: the password of {user.login}")
