"""Tally: what is left of the limits of one request, and how its answer says that."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from starlette.types import Scope

from .counters import Window

__all__ = ["TALLY", "headers_of", "tally_of"]

TALLY: Final = "fastforge.rate_windows"
"""Under this name the scope of a request has what is left of its limits."""
_UNUSABLE: Final = re.compile(r'[^ -~]|["\\]')


def tally_of(scope: Scope) -> list[Window]:
    """Return what is known of a request so far; the layer tells it with the answer."""
    found: list[Window] = scope.setdefault(TALLY, [])
    return found


def headers_of(windows: Sequence[Window]) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer.

    They are those of the draft of the IETF's working group httpapi: one list for all limits, and
    times that are seconds from now. `X-RateLimit-*` has room for one limit, and no two services
    mean the same by its `Reset`.
    """
    if not windows:
        return []
    names = [_quoted(each.label) for each in windows]
    policies = (
        f"{name};q={each.limit.amount};w={each.limit.window_s}"
        for name, each in zip(names, windows, strict=True)
    )
    left = (
        f"{name};r={each.remaining};t={math.ceil(each.reset_s)}"
        for name, each in zip(names, windows, strict=True)
    )
    return [
        (b"ratelimit-policy", ", ".join(policies).encode()),
        (b"ratelimit", ", ".join(left).encode()),
    ]


def _quoted(label: str) -> str:
    """Return a string as structured fields have it; a name may be anything."""
    return f'"{_UNUSABLE.sub("?", label)}"'
