"""Traces and metrics by OpenTelemetry, sent to a collector: see why, not only that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._utils import lazy_attribute

if TYPE_CHECKING:
    from .settings import Telemetry as Telemetry

__all__ = ["Telemetry"]

_LAZY = {"Telemetry": "settings"}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
