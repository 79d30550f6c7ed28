"""What users bring for tests: a client that is logged in."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Protocol

from ...lifecycle import Role
from ...project import Project
from ..db import session
from .tokens.issuing import issue
from .users import create_user, find_user

__all__ = ["Client", "log_in"]


class Client(Protocol):
    """A client with headers that go with each request, as httpx has them."""

    @property
    def headers(self) -> MutableMapping[str, str]:
        """What goes with each request."""
        ...


async def log_in(
    client: Client, project: Project, login: str = "ann@example.org", **fields: Any
) -> str:
    """Let a client be logged in as somebody, who is made unless there is such a user.

    ```python
    async def test_orders_are_mine(client: httpx.AsyncClient, project: Project) -> None:
        await log_in(client, project, scopes=["orders:read"])
        assert (await client.get("/orders")).json() == []
    ```

    No password is hashed, and no route has to be there. For a client of its own for each of
    several users: `fastforge.test.client(project)`.

    Args:
        client: The fixture `client`, or another one.
        project: The fixture `project`, which `client` is of.
        login: Who they are.
        fields: Columns of a user who is made.

    Returns:
        The user's id as text, as `Identity.id` has it.
    """
    async with project.running(Role.COMMAND), session() as db, db.atomic():
        user = await find_user(db, login) or await create_user(db, login, **fields)
        pair = await issue(db, user)
    client.headers["Authorization"] = f"{pair.token_type} {pair.access_token}"
    return str(user.id)
