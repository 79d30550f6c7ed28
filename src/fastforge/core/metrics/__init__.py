"""The metric sources that every project has."""

from __future__ import annotations
