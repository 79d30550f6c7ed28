"""The task backend that this app declares."""

from __future__ import annotations

from typing import Final

from ...tasks.backend import Backend
from ..jobs.resources import job_store
from .resources import arq_jobs

__all__ = ["ARQ"]

ARQ: Final = Backend(name="arq", resource=arq_jobs, in_tests=job_store)
