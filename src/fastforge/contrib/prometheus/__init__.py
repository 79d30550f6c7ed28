"""What is measured, in the form that Prometheus reads, for all processes of a server together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._utils import lazy_attribute

if TYPE_CHECKING:
    from .settings import Prometheus as Prometheus

__all__ = ["Prometheus"]

_LAZY = {"Prometheus": "settings"}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
