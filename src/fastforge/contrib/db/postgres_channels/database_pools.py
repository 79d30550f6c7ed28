"""The connections by which a process publishes and hears."""

from __future__ import annotations

from ..extra_pools import ExtraPool
from .broker import CONNECTIONS

__all__ = ["channels"]

channels = ExtraPool(name="channels", connections=CONNECTIONS)
