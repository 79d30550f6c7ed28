"""PasswordListener: what has to happen when a user has chosen another password."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ...exceptions import ComponentError, Location

if TYPE_CHECKING:
    from .model import AbstractUser

__all__ = ["PasswordListener", "password_listener"]

Listener: TypeAlias = "Callable[[AbstractUser], Awaitable[None]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordListener:
    """A declared listener.

    Args:
        name: Unique in the project; the function's name.
        function: What is called with the user.
    """

    name: str
    function: Listener


def password_listener(function: Listener, /) -> PasswordListener:
    """Declare what happens when somebody has another password, in `password_listeners.py`.

    ```python
    @password_listener
    async def ask_for_second_factor(user: AbstractUser) -> None:
        await ask_again.enqueue(str(user.id))
    ```

    It is called by `change_password` and `reset_password`, in the transaction that changes the
    row: a job that it enqueues is there with the commit, and an exception undoes the change. Who
    sets a password for somebody, as `set_password` and `manage changepassword` do, calls nobody.

    Args:
        function: An async function of the user.

    Raises:
        ComponentError: It decorates no async function.
    """
    if not inspect.iscoroutinefunction(function):
        raise ComponentError(
            f"@password_listener decorates {function!r}, which is no async function",
            code="auth.E059",
            hint="write `async def`, which is given the user",
            where=Location.of(function),
        )
    return PasswordListener(name=function.__name__, function=function)
