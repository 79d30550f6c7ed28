"""The connections by which a worker claims, settles, renews and listens."""

from __future__ import annotations

from ...lifecycle import Role
from ..db.extra_pools import ExtraPool
from .resources import BOOKKEEPING_CONNECTIONS

__all__ = ["bookkeeping"]

bookkeeping = ExtraPool(
    name="jobs", connections=BOOKKEEPING_CONNECTIONS, roles=frozenset({Role.WORKER})
)
