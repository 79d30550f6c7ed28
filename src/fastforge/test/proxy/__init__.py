"""A stretch of network in front of a service, that counts what passes and that can fail."""

from __future__ import annotations

from .links import Direction
from .proxy import Proxy

__all__ = ["Direction", "Proxy"]
