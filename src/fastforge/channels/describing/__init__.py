"""Describing: what is said in channels, as documents that others read."""

from __future__ import annotations
