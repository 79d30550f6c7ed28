"""Inspection: what the databases of a project are in truth, and what does not fit the settings."""

from __future__ import annotations
