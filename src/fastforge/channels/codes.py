"""Close codes: why a socket ends, and with that whether its client comes back.

After 1xxx and 41xx a client connects again, later each time; after 40xx it does not.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "DONE", "EXPIRED", "FORBIDDEN", "INTERNAL_ERROR", "NO_JSON", "NO_TEXT", "OVERLOADED",
    "POLICY", "RESTART", "SLOW_CONSUMER", "TOO_FAST", "TOO_LARGE", "UNAUTHENTICATED",
]  # fmt: skip

DONE: Final = 1000
NO_TEXT: Final = 1003
NO_JSON: Final = 1007
POLICY: Final = 1008
TOO_LARGE: Final = 1009
INTERNAL_ERROR: Final = 1011
RESTART: Final = 1012
OVERLOADED: Final = 1013
UNAUTHENTICATED: Final = 4001
FORBIDDEN: Final = 4003
EXPIRED: Final = 4100
SLOW_CONSUMER: Final = 4108
TOO_FAST: Final = 4109
