"""Sampling: whether a trace is recorded, decided before anything is known of it but its id."""

from __future__ import annotations

import random
from contextvars import ContextVar
from typing import Final

from opentelemetry.trace import INVALID_SPAN_ID, INVALID_TRACE_ID

from .library import ParentBased, RandomIdGenerator, TraceIdRatioBased

__all__ = ["Sample"]

_BITS: Final = 64
_LOW: Final = (1 << _BITS) - 1


class Sample(RandomIdGenerator):
    """Draws the ids of traces, and knows which of them are recorded.

    The decision follows from the id alone, as OpenTelemetry's own sampler has it: every service
    that samples by it decides alike. A request that is not recorded so costs an id, and none of
    the attributes that a span would have.

    Args:
        ratio: How much is recorded, from 0 to 1.
    """

    def __init__(self, ratio: float) -> None:
        self.sampler = ParentBased(TraceIdRatioBased(ratio))
        self._bound = TraceIdRatioBased.get_bound_for_rate(ratio)
        self._drawn: ContextVar[int | None] = ContextVar("fastforge_drawn_trace", default=None)

    def draw(self) -> int:
        """Return the id of a new trace."""
        return super().generate_trace_id()

    def draw_recorded(self) -> int:
        """Return the id of a new trace that is recorded; of any where none is."""
        trace_id = self.draw()
        if self._bound:
            trace_id = trace_id & ~_LOW | random.randrange(self._bound)
        return trace_id if trace_id != INVALID_TRACE_ID else self.draw()

    def is_recorded(self, trace_id: int) -> bool:
        """Return whether a trace that begins here is recorded."""
        return trace_id & _LOW < self._bound

    def use(self, trace_id: int) -> None:
        """Give the next trace that begins in this context an id."""
        self._drawn.set(trace_id)

    def generate_trace_id(self) -> int:
        """Return the id of a trace that begins; the SDK asks for it."""
        drawn = self._drawn.get()
        if drawn is None:
            return self.draw()
        self._drawn.set(None)
        return drawn

    def generate_span_id(self) -> int:
        """Return the id of a span."""
        return random.getrandbits(_BITS) or INVALID_SPAN_ID + 1
