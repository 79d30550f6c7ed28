"""What is sent and answered, where a service says so by pydantic."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class NewItem(BaseModel):
    """What is sent to write an item."""

    name: str
    price: float
    in_stock: bool = True


class ItemOut(BaseModel):
    """An item as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    price: float
    in_stock: bool


class UserOut(BaseModel):
    """Who asks."""

    id: int
