"""The task backend that needs no app."""

from __future__ import annotations

from typing import Final

from ..tasks.backend import Backend
from .resources import memory_jobs

__all__ = ["MEMORY"]

MEMORY: Final = Backend(name="memory", resource=memory_jobs)
