"""The setting RATE_LIMIT."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from ...conf import Section

__all__ = ["NOTATION", "RateLimit", "usable_limits"]

NOTATION: Final = "write '10/minute', '5 per 2 hours', or several: '10/minute; 100/day'"
_NUMBER: Final = r"0*[1-9]\d{0,8}"
_LIMIT: Final = (
    rf"\s*{_NUMBER}\s*(?:/|\s*per\s*)\s*(?:{_NUMBER})?\s*(?:second|minute|hour|day|month|year)s?\s*"
)
_LIMITS: Final = re.compile(rf"{_LIMIT}(?:[,;|]{_LIMIT})*", re.IGNORECASE)


def usable_limits(text: str) -> str:
    """Return a text that says how often, if it is one.

    What `limits` reads, without what it would pass over: zero, and words that it does not know.

    Raises:
        ValueError: It is none, with what to write.
    """
    # Read here, since the settings are read by commands that limit nothing.
    if not _LIMITS.fullmatch(text):
        raise ValueError(f"{text!r} is no limit; {NOTATION}")
    return text


def _usable_or_empty(text: str) -> str:
    return usable_limits(text) if text.strip() else ""


_Limits = Annotated[str, AfterValidator(_usable_or_empty)]


class RateLimit(Section, setting="RATE_LIMIT"):
    """How often somebody may ask.

    ```python
    RATE_LIMIT = RateLimit(default="300/minute", exempt_paths=["/static"])
    ```

    Attributes:
        default: Limits of all requests of somebody together, such as `300/minute`; empty: none.
        default_by: Whose requests those are: `address`, or the name of a caller, such as `user`.
        exempt_paths: Paths that `default` does not count, with all that is below them.
        login_by_account_and_address: How often one address may try the password of one account.
        login_by_account: How often all addresses together may.
        login_by_address: How often one address may try passwords, whosever.
        storage: The name of the cache backend that counts. None: that of an installed app, such
            as `redis` of fastforge.contrib.redis, else `memory`; in the environment `test`
            always `memory`.
        max_counters: How many counters the memory of one process has; the one that was not asked
            for the longest gives way.
        headers: Whether answers say in `RateLimit` and `RateLimit-Policy` what is left.
    """

    default: _Limits = ""
    default_by: str = "address"
    exempt_paths: Sequence[str] = ()
    login_by_account_and_address: _Limits = "5/minute; 20/hour"
    login_by_account: _Limits = "10/minute; 100/hour"
    login_by_address: _Limits = "30/minute; 300/hour"
    storage: str | None = None
    max_counters: int = Field(default=50_000, ge=1)
    headers: bool = True
