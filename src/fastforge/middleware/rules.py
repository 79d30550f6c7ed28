"""Rules: what all exchanges of one edge have in common."""

from __future__ import annotations

from starlette.types import ASGIApp, Scope

from ..observability.context import new_request_id
from .answer import AnswerHeaders
from .deadline import Deadlines
from .entrance import Entrance
from .policy import EdgePolicy
from .state import EdgeState

__all__ = ["Rules"]


class Rules:
    """The policy of an edge, in the form in which a request asks for it.

    Args:
        app: The application.
        state: What its lifespan tells.
        policy: What the settings say.
    """

    __slots__ = (
        "answers",
        "app",
        "believes_proxies",
        "concurrency_limit",
        "deadlines",
        "entrance",
        "log",
        "policy",
        "probes",
        "state",
    )

    def __init__(self, app: ASGIApp, state: EdgeState, policy: EdgePolicy) -> None:
        limit_s = policy.shortest_time_limit_s
        self.app = app
        self.state = state
        self.policy = policy
        self.answers = AnswerHeaders(policy, state)
        self.believes_proxies = policy.client_of is not None
        self.concurrency_limit = policy.concurrency_limit
        self.deadlines = None if limit_s is None else Deadlines(limit_s)
        self.entrance = Entrance(policy)
        self.log = policy.access_log
        self.probes = policy.probes

    def id_for(self, scope: Scope) -> str:
        """Return the id of a request or socket, after believing what trusted proxies tell."""
        told = self.entrance.foreign_id(scope) if self.believes_proxies else ""
        return told or new_request_id()
