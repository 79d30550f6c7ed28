"""What can go wrong with a function that is offloaded.

ForgeError
└── OffloadError
    ├── OffloadBusy         too many wait for a limiter already: 503
    ├── OffloadTimeout      it did not end in time (also TimeoutError): 504
    └── OffloadCrashed      the process that ran it ended
"""

from __future__ import annotations

from typing import ClassVar

from ..exceptions import ForgeError

__all__ = ["OffloadBusy", "OffloadCrashed", "OffloadError", "OffloadTimeout", "stopped"]


class OffloadError(ForgeError):
    """A function cannot be offloaded, or a limiter is wrong."""


class OffloadBusy(OffloadError):
    """As many callers wait for a limiter as it lets wait. Nothing was run."""

    status: ClassVar[int] = 503


class OffloadTimeout(OffloadError, TimeoutError):
    """A function did not end, or did not begin, within `timeout_s`."""

    status: ClassVar[int] = 504


class OffloadCrashed(OffloadError):
    """The process that ran a function ended before it answered."""


def stopped() -> OffloadError:
    """Return the error of a call that the end of its project comes before."""
    return OffloadError(
        "nothing can be offloaded: the project has stopped",
        code="offloading.E006",
        hint="await what is offloaded before the last resource closes",
    )
