"""What the shell has of users."""

from __future__ import annotations

from ...commands.shell import shell_names
from .login import authenticate
from .proofs.resetting import password_reset_token
from .tokens.revoking import revoke_everybody, revoke_user
from .users import create_user, find_user, set_password

__all__ = ["users"]


@shell_names(note="await them; create_user writes inside `async with db.atomic():`")
def users() -> dict[str, object]:
    """Return what makes, finds and lets in users."""
    return {
        "authenticate": authenticate,
        "create_user": create_user,
        "find_user": find_user,
        "password_reset_token": password_reset_token,
        "revoke_everybody": revoke_everybody,
        "revoke_user": revoke_user,
        "set_password": set_password,
    }
