"""Memory: a backend for tests, whose jobs end with the process."""

from __future__ import annotations

from .backend import MemoryBackend
from .job import MemoryJob

__all__ = ["MemoryBackend", "MemoryJob"]
