"""The app that provides an HTTP client."""

from __future__ import annotations

from ...apps import AppConfig
from .settings import ExternalHttp, Http

__all__ = ["HttpConfig"]


class HttpConfig(AppConfig):
    """Brings the resource behind `HttpClient`, and the settings HTTP and EXTERNAL_HTTP."""

    name = "fastforge.contrib.http"
    settings = (Http, ExternalHttp)
