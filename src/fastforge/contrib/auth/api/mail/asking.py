"""Asking: for a mail, with the same answer and the same work whoever it is about."""

from __future__ import annotations

from .....tasks import Task
from ...attempts import attempt
from ...guards import Action
from ...model import LONGEST_EMAIL, folded
from .tasks import mail_password_reset, mail_verification

__all__ = ["ask", "ask_for_password_reset", "ask_for_verification"]


async def ask_for_password_reset(email: str) -> None:
    """Let somebody be mailed the link for another password, if there is somebody.

    ```python
    @router.post("/forgotten")
    async def forgotten(email: str) -> None:
        await ask_for_password_reset(email)
    ```

    It enqueues a job and looks nothing up: neither the answer nor the time tells who has an
    account. Nobody gets more than one mail a minute. Whoever is not active, or logs in elsewhere,
    gets none.

    Args:
        email: What was typed.

    Raises:
        TooManyAttempts: A guard says so.
    """
    await ask("reset", email, mail_password_reset)


async def ask_for_verification(email: str) -> None:
    """Let somebody be mailed the link that verifies the address, if it is to be verified.

    As `ask_for_password_reset`. For a user who has just been made: `await
    ask_for_verification(user.email)`, in the same transaction.

    Args:
        email: What was typed.

    Raises:
        TooManyAttempts: A guard says so.
    """
    await ask("verify", email, mail_verification)


async def ask(action: Action, email: str, job: Task[[str], None]) -> None:
    """Enqueue a job about an address, unless a guard says that it is enough."""
    async with attempt(action, email):
        address = folded(email[: LONGEST_EMAIL + 1])
        if len(address) <= LONGEST_EMAIL and address.isprintable():
            await job.enqueue(address)
