"""Sessions: reads that hold nothing, `atomic`, and how a unit of work ends."""

from __future__ import annotations
