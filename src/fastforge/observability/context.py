"""Context: what is known of the execution that runs here, for log lines and outgoing calls."""

from __future__ import annotations

import random
import time
from contextvars import ContextVar
from typing import Final

__all__ = ["new_request_id", "request_id"]

request_id: Final[ContextVar[str | None]] = ContextVar("fastforge_request_id", default=None)
"""The id of the request, socket or job that runs here."""


def new_request_id() -> str:
    """Return a UUID of version 7: ids that are made later sort later.

    Its random part is not for secrets. It comes from the generator that Python seeds anew in
    forked children, for a fraction of what `uuid.uuid4` costs.
    """
    milliseconds = time.time_ns() // 1_000_000
    chance = random.getrandbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (chance >> 62) << 64
    value |= 0b10 << 62 | chance & (1 << 62) - 1
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
