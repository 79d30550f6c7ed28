"""People who use the API: what they send, each answer held against the description."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from fastforge import Project
from fastforge.test import client, run_command

from .realworld import check_answer

__all__ = ["ADA", "ARTICLE", "CHARLES", "api", "log_in", "manage", "publish", "register"]

ADA = {"username": "ada", "email": "Ada@conduit.test", "password": "weaving-4-patterns"}
CHARLES = {"username": "charles", "email": "charles@conduit.test", "password": "no-steam-12"}
ARTICLE = {"title": "Notes", "description": "On the engine", "body": "It weaves."}


def manage(project: Project, *arguments: str) -> str:
    done = run_command(project, *arguments)
    assert done.exit_code == 0, done.output + done.error
    return done.output


@asynccontextmanager
async def api(project: Project) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the API."""
    hooks = {"response": [check_answer]}
    async with client(project, base_url="http://localhost/api", event_hooks=hooks) as http:
        yield http


async def register(http: httpx.AsyncClient, user: dict[str, str]) -> dict[str, str]:
    """Register somebody, and return the headers by which they are known."""
    answer = await http.post("/users", json={"user": user})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Token {answer.json()['user']['token']}"}


async def log_in(http: httpx.AsyncClient, email: str, password: str) -> httpx.Response:
    return await http.post("/users/login", json={"user": {"email": email, "password": password}})


async def publish(
    http: httpx.AsyncClient, author: dict[str, str], title: str = "Notes", **more: Any
) -> str:
    """Publish an article, and return its slug."""
    body = {"article": {**ARTICLE, "title": title, **more}}
    answer = await http.post("/articles", json=body, headers=author)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["article"]["slug"])
