"""Attempts: what guards hear of before it is tried, and afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ...lifecycle import current_container
from ...observability.context import request_scope
from .guards import Action, Attempt
from .kinds import LOGIN_GUARDS
from .model import LONGEST_LOGIN, folded

__all__ = ["Outcome", "attempt"]


@dataclass(slots=True)
class Outcome:
    """What came of an attempt, said by whoever made it."""

    succeeded: bool = False


@asynccontextmanager
async def attempt(action: Action, login: str) -> AsyncIterator[Outcome]:
    """Let the guards of the project have their say before something is tried, and hear of it.

    ```python
    async with attempt("login", given.login) as outcome:
        outcome.succeeded = await is_right(given)
    ```

    Surprises: outside of a request, in a command or a job, nobody guesses and nobody is asked.
    `authenticate` and what else this app has of attempts do it by themselves.

    Args:
        action: What is tried.
        login: Whose account it is about, as it was typed.

    Raises:
        TooManyAttempts: A guard says so; in HTTP a 429 with `Retry-After`.
    """
    outcome = Outcome()
    scope = request_scope.get()
    guards = () if scope is None else current_container().registry.values(LOGIN_GUARDS)
    if scope is None or not guards:
        yield outcome
        return
    client = scope.get("client")
    known = folded(login) if len(login) <= LONGEST_LOGIN else ""
    tried = Attempt(action=action, login=known, address=client[0] if client else None)
    for guard in guards:
        await guard.before(tried)
    yield outcome
    for guard in guards:
        await guard.after(tried, outcome.succeeded)
