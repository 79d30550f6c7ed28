"""Queries: what is seen of the statements that an engine runs, for logs, answers and tests."""

from __future__ import annotations

from .counting import QueryCount, assert_num_queries
from .observing import observe_queries

__all__ = ["QueryCount", "assert_num_queries", "observe_queries"]
