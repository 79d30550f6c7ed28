"""The task that delivers."""

from __future__ import annotations

from typing import Final

from ...lifecycle import injected
from ...tasks import Retry, task
from .errors import MailRefused
from .letter import Letter
from .resources import Mailer

__all__ = ["deliver"]

_RETRY: Final = Retry(max_attempts=15, base_s=5, cap_s=3600, never_for=(MailRefused,))
"""For about five hours, as long as a server may well be away."""
_AGAIN_S: Final = 60
"""Servers that defer strangers want to see them again after a minute."""


@task(name="fastforge.contrib.mail.deliver", queue="mail", retry=_RETRY, timeout_s=300)
async def deliver(letter: Letter, *, mailer: Mailer = injected) -> None:
    """Hand one message over; for recipients that are to be tried again there is another job."""
    delivery = await mailer.deliver(letter)
    if delivery.deferred:
        await deliver.using(delay=_AGAIN_S).enqueue(letter.for_recipients(delivery.deferred))
