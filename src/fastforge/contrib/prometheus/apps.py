"""The app that shows metrics to Prometheus."""

from __future__ import annotations

from ...apps import AppConfig
from .settings import Prometheus

__all__ = ["PrometheusConfig"]


class PrometheusConfig(AppConfig):
    """Brings the page of metrics, on a port of its own, and the setting PROMETHEUS."""

    name = "fastforge.contrib.prometheus"
    settings = (Prometheus,)
