"""A FastAPI application for servers: what it does itself is small, and the same on each of them."""

from fastapi import FastAPI
from pydantic import BaseModel

__all__ = ["app"]


class Order(BaseModel):
    """A small body."""

    product: str
    count: int


app = FastAPI()


@app.get("/orders/{number}")
async def read(number: int) -> dict[str, int]:
    """Answer something small."""
    return {"number": number}


@app.post("/orders")
async def create(order: Order) -> Order:
    """Read a small body, and answer with it."""
    return order
