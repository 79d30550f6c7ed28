"""Measured: how many letters were sent, and how many not, by how that ended."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ...lifecycle.container import container_here
from ...observability.events import MAIL_MESSAGES
from ...observability.metrics.demand import is_exported
from ...observability.metrics.meter import meter_of

__all__ = ["Ending", "count"]

Ending: TypeAlias = Literal["sent", "partly", "refused", "unavailable"]
"""How a delivery ended: for all recipients, for some, for none and for good, not now."""


def count(ending: Ending) -> None:
    """Count a delivery, if somebody exports what is measured."""
    container = container_here.get(None)
    if container is not None and is_exported(container):
        meter_of(container).add(MAIL_MESSAGES, ending)
