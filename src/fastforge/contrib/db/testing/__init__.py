"""What the database brings for tests: one of its own for each, and the counting of statements."""

from __future__ import annotations

from ..queries.counting import assert_num_queries

__all__ = ["assert_num_queries"]
