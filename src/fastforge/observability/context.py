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
    moment = (time.time_ns() // 1_000_000).to_bytes(6).hex()
    chance = random.getrandbits(72).to_bytes(9).hex()
    # 7 is the version, 8 the variant.
    return f"{moment[:8]}-{moment[8:]}-7{chance[:3]}-8{chance[3:6]}-{chance[6:]}"
