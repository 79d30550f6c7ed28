"""The task backend that this app declares."""

from __future__ import annotations

from typing import Final

from ...tasks.backend import Backend
from .resources import job_store

__all__ = ["DATABASE"]

DATABASE: Final = Backend(name="database", resource=job_store)
