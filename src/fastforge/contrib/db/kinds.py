"""The kinds of components that this app introduces: models, and pools to be counted."""

from __future__ import annotations

from typing import Any, Final

from ...components import Kind
from .extra_pools import ExtraPool
from .model import Model

__all__ = ["EXTRA_POOLS", "MODELS"]


class _Tables(Kind[Any]):
    """A Kind that leaves out abstract classes: they have no table."""

    __slots__ = ()

    def matches(self, value: object) -> bool:
        return super().matches(value) and not vars(value).get("__abstract__", False)


MODELS: Final[Kind[type[Model]]] = _Tables(
    name="models", type=Model, module="models", subclasses=True
)

EXTRA_POOLS: Final[Kind[ExtraPool]] = Kind(
    name="database_pools", type=ExtraPool, module="database_pools", key=lambda pool: pool.name
)
