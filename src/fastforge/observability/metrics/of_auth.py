"""The metrics of who asks."""

from __future__ import annotations

from typing import Final

from .metric import Metric, MetricKind

__all__ = ["AUTH_CHECKS_WAITING", "AUTH_IDENTITIES"]

AUTH_IDENTITIES: Final = Metric(
    name="auth.identities",
    kind=MetricKind.COUNTER,
    unit="{credential}",
    labels=("auth.way",),
    help="How often it was told who asks: by what the process remembers (`near`), by the cache"
    " (`shared`), by the real check (`checked`), or not at all (`refused`).",
)
AUTH_CHECKS_WAITING: Final = Metric(
    name="auth.checks.waiting",
    kind=MetricKind.GAUGE,
    unit="{credential}",
    labels=(),
    help="How many credentials wait to be checked.",
)
