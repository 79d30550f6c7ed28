"""Statements: the SQL of jobs, one module for each thing that is done with them."""

from __future__ import annotations

from .tables import CHANNEL, JOB

__all__ = ["CHANNEL", "JOB"]
