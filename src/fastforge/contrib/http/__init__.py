"""One pooled HTTP client a process, for handlers, tasks and commands alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._utils import lazy_attribute

if TYPE_CHECKING:
    from .attempts import call_options as call_options
    from .client import Client as Client
    from .errors import UpstreamAway as UpstreamAway
    from .errors import UpstreamError as UpstreamError
    from .errors import UpstreamLate as UpstreamLate
    from .errors import UpstreamRefused as UpstreamRefused
    from .external.client import ExternalClient as ExternalClient
    from .external.errors import AnswerRefused as AnswerRefused
    from .external.errors import ExternalRefused as ExternalRefused
    from .resources import HttpClient as HttpClient
    from .resources import http_client as http_client
    from .settings import ExternalHttp as ExternalHttp
    from .settings import Http as Http
    from .settings import HttpHost as HttpHost

__all__ = [
    "AnswerRefused",
    "Client",
    "ExternalClient",
    "ExternalHttp",
    "ExternalRefused",
    "Http",
    "HttpClient",
    "HttpHost",
    "UpstreamAway",
    "UpstreamError",
    "UpstreamLate",
    "UpstreamRefused",
    "call_options",
    "http_client",
]

_LAZY = {
    "AnswerRefused": "external.errors",
    "Client": "client",
    "ExternalClient": "external.client",
    "ExternalHttp": "settings",
    "ExternalRefused": "external.errors",
    "Http": "settings",
    "HttpClient": "resources",
    "HttpHost": "settings",
    "UpstreamAway": "errors",
    "UpstreamError": "errors",
    "UpstreamLate": "errors",
    "UpstreamRefused": "errors",
    "call_options": "attempts",
    "http_client": "resources",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
