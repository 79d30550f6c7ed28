"""The kind of component that this app introduces: models."""

from __future__ import annotations

from typing import Any, Final

from ...components import Kind
from .model import Model

__all__ = ["MODELS"]


class _Tables(Kind[Any]):
    """A Kind that leaves out abstract classes: they have no table."""

    __slots__ = ()

    def matches(self, value: object) -> bool:
        return super().matches(value) and not vars(value).get("__abstract__", False)


MODELS: Final[Kind[type[Model]]] = _Tables(
    name="models", type=Model, module="models", subclasses=True
)
