"""The layers that every application has besides the edge."""

from __future__ import annotations

from typing import Final

from ..cache.answering import CachedAnswers
from ..web.middleware import Middleware, Slot

__all__ = ["CACHED_ANSWERS"]

CACHED_ANSWERS: Final = Middleware(CachedAnswers, slot=Slot.ROUTER)
