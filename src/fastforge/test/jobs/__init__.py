"""Jobs in tests: what was enqueued, running it here and now, and a clock that can be advanced."""

from __future__ import annotations

from .jobs import Jobs

__all__ = ["Jobs"]
