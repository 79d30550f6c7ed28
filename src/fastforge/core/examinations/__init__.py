"""The framework's own examinations: the process, the host, and what has a ping."""

from __future__ import annotations
