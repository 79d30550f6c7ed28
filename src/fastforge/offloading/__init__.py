"""Offloading: synchronous functions in threads and processes, bounded, counted and drained.

Names are imported when they are first used: a process that only runs functions needs few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .calling import offload as offload
    from .calling import offload_gauges as offload_gauges
    from .errors import OffloadBusy as OffloadBusy
    from .errors import OffloadCrashed as OffloadCrashed
    from .errors import OffloadError as OffloadError
    from .errors import OffloadTimeout as OffloadTimeout
    from .gauges import OffloadGauges as OffloadGauges
    from .gauges import PoolGauges as PoolGauges
    from .limiter import Limiter as Limiter

_LAZY = {
    "Limiter": "limiter",
    "OffloadBusy": "errors",
    "OffloadCrashed": "errors",
    "OffloadError": "errors",
    "OffloadGauges": "gauges",
    "OffloadTimeout": "errors",
    "PoolGauges": "gauges",
    "offload": "calling",
    "offload_gauges": "calling",
}

__all__ = [
    "Limiter",
    "OffloadBusy",
    "OffloadCrashed",
    "OffloadError",
    "OffloadGauges",
    "OffloadTimeout",
    "PoolGauges",
    "offload",
    "offload_gauges",
]


def __getattr__(name: str) -> object:
    from .._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
