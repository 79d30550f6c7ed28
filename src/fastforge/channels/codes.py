"""Close codes: why a socket ends, and with that whether its client comes back.

After 1xxx and 41xx a client connects again, later each time; after 40xx it does not.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "DONE", "EXPIRED", "INTERNAL_ERROR", "NO_JSON", "NO_TEXT", "OVERLOADED",
    "POLICY", "RESTART", "SLOW_CONSUMER", "TOO_FAST", "TOO_LARGE", "UNAUTHENTICATED",
    "may_be_sent",
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
EXPIRED: Final = 4100
SLOW_CONSUMER: Final = 4108
TOO_FAST: Final = 4109

_OF_THE_PROTOCOL: Final = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})


def may_be_sent(code: object) -> bool:
    """Return whether a close frame may have a code; some say only that there was no frame."""
    return type(code) is int and (code in _OF_THE_PROTOCOL or 3000 <= code <= 4999)
