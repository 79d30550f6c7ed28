"""The service as most FastAPI projects write it.

Its requests are logged by `@app.middleware("http")` and structlog as it is installed, its session
commits after the `yield`, and a token is looked up in Redis as JSON beside such a session.

Usage: uvicorn benchmarks.baselines.services.usual:app
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

from fastapi import Depends, HTTPException
from sqlalchemy.ext.asyncio import AsyncSession

from ..identified import Identified
from ..identified import usual as application_that_knows_who_asks
from ..middleware_line import add_access_line, configure
from .many_routes import add_many_routes
from .rows import Item
from .shapes import ItemOut, NewItem

configure(sys.stdout)
identified = Identified(os.environ["BENCH_DATABASE_URL"], os.environ["BENCH_REDIS_URL"])
app = application_that_knows_who_asks(identified)
add_access_line(app)

Database = Annotated[AsyncSession, Depends(identified.session)]


@app.get("/ping")
async def ping() -> dict[str, str]:
    """Answer."""
    return {"ping": "pong"}


@app.get("/items/{item_id}", response_model=ItemOut)
async def read(item_id: int, db: Database) -> Item:
    """Return one item."""
    item = await db.get(Item, item_id)
    if item is None:
        raise HTTPException(404)
    return item


@app.post("/items", status_code=201, response_model=ItemOut)
async def create(new: NewItem, db: Database) -> Item:
    """Store an item."""
    item = Item(**new.model_dump())
    db.add(item)
    await db.flush()
    return item


if "BENCH_ROUTES" in os.environ:
    add_many_routes(app)
