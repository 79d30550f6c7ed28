"""Origin: who runs a statement, told from the request or job around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from ....middleware.line import route_template
from ....observability.context import RunningJob, request_id, running_job
from ..sessions.current import current_unit

__all__ = ["Origin", "is_in_atomic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who runs a statement.

    Attributes:
        route: The template of the request's route; None before a route has been found.
        method: The request's method; `WEBSOCKET` for a socket, empty outside of both.
        request_id: The id of the request or socket; of a job, that of the request that made it.
        job: The job.
    """

    route: str | None
    method: str
    request_id: str | None
    job: RunningJob | None

    @classmethod
    def here(cls) -> Self:
        """Return whose statement would run here."""
        unit = current_unit()
        scope: Any = {} if unit is None else unit.scope
        job = None if "type" in scope else running_job.get()
        return cls(
            route=route_template(scope) if "type" in scope else None,
            method=scope.get("method", "WEBSOCKET") if "type" in scope else "",
            request_id=request_id.get(),
            job=job,
        )

    @property
    def place(self) -> str:
        """What people know it by: `GET /orders/{order_id}`, a task's name; empty for neither."""
        if self.job is not None:
            return self.job.task
        return f"{self.method} {self.route or '(no route yet)'}" if self.method else ""

    def __str__(self) -> str:
        if self.job is not None:
            return f"job {self.job.uid} of {self.job.task}"
        if self.method:
            return f"{self.place}, request {self.request_id}"
        return "no request or job"


def is_in_atomic() -> bool:
    """Return whether the session of what runs here stands in `atomic`, also while it commits."""
    unit = current_unit()
    session = None if unit is None else unit.opened
    return session is not None and session.in_atomic
