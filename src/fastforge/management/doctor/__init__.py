"""The doctor: examinations run side by side within a time limit, and what they found, shown."""

from __future__ import annotations
