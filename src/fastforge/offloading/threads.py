"""Threads: how many AnyIO has in this event loop while projects run in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

__all__ = ["thread_tokens"]


class _Claim:
    """What one running project wants the number of threads to be."""

    def __init__(self, tokens: float) -> None:
        self.tokens = tokens


_claims: RunVar[list[_Claim]] = RunVar("fastforge_thread_claims")


@contextmanager
def thread_tokens(tokens: int) -> Iterator[anyio.CapacityLimiter]:
    """Set the tokens of AnyIO's default limiter; afterwards they are what they were.

    Surprises: projects that run in one event loop share its threads; of several, the number of
    the one that started last holds.
    """
    limiter = anyio.to_thread.current_default_thread_limiter()
    try:
        claims = _claims.get()
    except LookupError:
        claims = []
        _claims.set(claims)
    if not claims:
        claims.append(_Claim(limiter.total_tokens))
    claim = _Claim(tokens)
    claims.append(claim)
    limiter.total_tokens = tokens
    try:
        yield limiter
    finally:
        claims.remove(claim)
        limiter.total_tokens = claims[-1].tokens
        if len(claims) == 1:
            claims.clear()
