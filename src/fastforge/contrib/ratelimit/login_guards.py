"""The guard of logins: where users are installed, it limits who tries their passwords."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...lifecycle import current_container
from ..auth import Attempt, LoginGuard, TooManyAttempts
from .addresses import network_of
from .limits import Limit, limits_of
from .resources import rate_counters
from .settings import RateLimit

__all__ = ["LOGINS"]

GUESSED: Final = ("login", "password")
"""What is well when it succeeds; a mail that was asked for once more is one more mail."""


async def _count(attempt: Attempt) -> None:
    """Count an attempt, in this process where that is not possible in all of them together.

    The narrowest limit comes first: what one address tries at one account does not keep the
    account's owner out who is elsewhere.

    Raises:
        TooManyAttempts: One of the limits is used up.
    """
    counters = current_container()[rate_counters]
    for limits, who in _rules(attempt):
        taken = await counters.take(limits, *who, by="login", when_away="count_here")
        if taken.refused is not None:
            raise TooManyAttempts.after(taken.refused.retry_after_s)


async def _forgive(attempt: Attempt, succeeded: bool) -> None:
    """Uncount an attempt that was right: many who share an address log in every morning."""
    if succeeded and attempt.action in GUESSED:
        counters = current_container()[rate_counters]
        for limits, who in _rules(attempt):
            await counters.give_back(limits, *who)


def _rules(attempt: Attempt) -> Iterator[tuple[tuple[Limit, ...], tuple[str, ...]]]:
    config = current_container().settings.section(RateLimit)
    account, address = attempt.login, network_of(attempt.address or "")
    what = f"attempts to {attempt.action}"
    if account and address is not None:
        both = limits_of(config.login_by_account_and_address)
        yield both, (what, "account and address", account, address)
    if address is not None:
        yield limits_of(config.login_by_address), (what, "address", address)
    if account:
        yield limits_of(config.login_by_account), (what, "account", account)


LOGINS: Final = LoginGuard(name="ratelimit", before=_count, after=_forgive)
