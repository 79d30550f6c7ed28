"""The smallest FastAPI application."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    """Answer something small."""
    return {"hello": "world"}
