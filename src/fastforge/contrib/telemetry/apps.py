"""The app that traces a project."""

from __future__ import annotations

from ...apps import AppConfig
from .settings import Telemetry

__all__ = ["TelemetryConfig"]


class TelemetryConfig(AppConfig):
    """Brings the setting TELEMETRY, and spans of requests, jobs and what they call."""

    name = "fastforge.contrib.telemetry"
    settings = (Telemetry,)
