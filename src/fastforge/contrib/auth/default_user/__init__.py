"""The ready user model, for projects that have none of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import User as User

__all__ = ["User"]


def __getattr__(name: str) -> object:
    from ...._utils import lazy_attribute

    return lazy_attribute(__name__, {"User": "models"}, name)
