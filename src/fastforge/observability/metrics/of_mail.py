"""The metric of mail."""

from __future__ import annotations

from typing import Final

from .metric import Metric, MetricKind

__all__ = ["MAIL_MESSAGES"]

MAIL_MESSAGES: Final = Metric(
    name="mail.messages",
    kind=MetricKind.COUNTER,
    unit="{message}",
    labels=("mail.outcome",),
    help="How often messages were handed over: sent, partly, refused for good or unavailable.",
)
