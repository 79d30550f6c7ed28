"""LoginGuard: what limits how often somebody may try something, as an app declares it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = ["Action", "Attempt", "LoginGuard"]

Action: TypeAlias = Literal["login", "password", "register", "reset", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Something that somebody who guesses tries again and again.

    Args:
        action: `login`; `password`, where the present one is asked for once more; `register`;
            `reset` and `verify`, where a mail is asked for.
        login: What was typed, in its one form, whether anybody has it or not. Empty for what is
            too long to be one. Do not log it: a password is easily typed into the wrong field.
        address: Whose request it is, behind trusted proxies; None where there is no address.
    """

    action: Action
    login: str = field(repr=False)
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginGuard:
    """Limits attempts; declared in an app's `login_guards.py`.

    ```python
    async def before(attempt: Attempt) -> None:
        if not await counted(attempt.login, attempt.address):
            raise TooManyAttempts.after(60)


    async def after(attempt: Attempt, succeeded: bool) -> None:
        if succeeded:
            await forgiven(attempt.login)


    GUARD = LoginGuard(name="ours", before=before, after=after)
    ```

    Surprises: count in `before`. What is counted in `after` alone lets in as many as try at the
    same time. For an attempt that fails with an exception, a full queue of hashes for example,
    `after` is not called.

    Args:
        name: Unique in the project.
        before: Called before anything is looked up or hashed; raises TooManyAttempts.
        after: Called with what came of it.
    """

    name: str
    before: Callable[[Attempt], Awaitable[None]]
    after: Callable[[Attempt, bool], Awaitable[None]]
