"""One pooled HTTP client a process, for handlers, tasks and commands alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._utils import lazy_attribute

if TYPE_CHECKING:
    from .resources import HttpClient as HttpClient
    from .resources import http_client as http_client
    from .settings import Http as Http

__all__ = ["Http", "HttpClient", "http_client"]

_LAZY = {"Http": "settings", "HttpClient": "resources", "http_client": "resources"}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
