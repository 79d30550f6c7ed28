"""What can go wrong with rate limits.

ForgeError
└── RateLimitError          a limit is declared wrongly
    └── RateLimited         somebody has asked too often: 429, with Retry-After
"""

from __future__ import annotations

from typing import ClassVar

from ...exceptions import ForgeError

__all__ = ["RateLimitError", "RateLimited"]


class RateLimitError(ForgeError):
    """A limit is declared wrongly."""


class RateLimited(RateLimitError):
    """Somebody has asked too often.

    Attributes:
        retry_after_s: In how many seconds asking again succeeds, unless others ask meanwhile.
    """

    status: ClassVar[int] = 429
    retry_after_s: int = 1
