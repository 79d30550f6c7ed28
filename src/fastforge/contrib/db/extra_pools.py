"""ExtraPool: connections that an app takes besides the pools of DATABASES, to be counted."""

from __future__ import annotations

from dataclasses import dataclass

from ...lifecycle import ALL_ROLES, Role

__all__ = ["ExtraPool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraPool:
    """A pool that an app opens for itself, as a value in the app's `database_pools.py`.

    It opens nothing. `manage check --database` counts it.

    ```python
    reports = ExtraPool(name="reports", connections=2, roles=frozenset({Role.WORKER}))
    ```

    Args:
        name: Unique in the project, for messages.
        connections: How many it takes at most in one process.
        database: The name in DATABASES.
        roles: The kinds of process that open it.
    """

    name: str
    connections: int
    database: str = "default"
    roles: frozenset[Role] = ALL_ROLES
