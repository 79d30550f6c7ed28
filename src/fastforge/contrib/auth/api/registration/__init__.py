"""Registration by mail: an address first, then the password by whoever reads its mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .registering import ask_for_registration as ask_for_registration
    from .registering import finish_registration as finish_registration

_LAZY = {"ask_for_registration": "registering", "finish_registration": "registering"}

__all__ = ["ask_for_registration", "finish_registration"]


def __getattr__(name: str) -> object:
    from ....._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
