"""The metrics of requests, sockets and outgoing calls, under OpenTelemetry's names."""

from __future__ import annotations

from typing import Final

from .metric import Metric, MetricKind

__all__ = [
    "HTTP_ACTIVE",
    "HTTP_CLIENT_DURATION",
    "HTTP_DURATION",
    "HTTP_REFUSED",
    "HTTP_RESPONSE_SIZE",
    "HTTP_SOCKETS",
    "HTTP_SOCKETS_CUT",
]

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""OpenTelemetry's buckets for both."""

HTTP_DURATION: Final = Metric(
    name="http.server.request.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=("http.request.method", "http.route", "http.response.status_code"),
    help="How long requests took until their last byte.",
    bounds=_SECONDS,
    limit=5000,
)
HTTP_RESPONSE_SIZE: Final = Metric(
    name="http.server.response.body.size",
    kind=MetricKind.HISTOGRAM,
    unit="By",
    labels=(),
    help="How large the bodies of answers were.",
    bounds=(0, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216),
)
HTTP_ACTIVE: Final = Metric(
    name="http.server.active_requests",
    kind=MetricKind.GAUGE,
    unit="{request}",
    labels=(),
    help="How many requests are being worked on.",
)
HTTP_SOCKETS: Final = Metric(
    name="http.server.open_sockets",
    kind=MetricKind.GAUGE,
    unit="{socket}",
    labels=(),
    help="How many web sockets are open.",
)
HTTP_REFUSED: Final = Metric(
    name="http.server.refusals",
    kind=MetricKind.COUNTER,
    unit="{request}",
    labels=("http.response.status_code",),
    help="How many requests a connection has refused before the application saw them.",
)
HTTP_SOCKETS_CUT: Final = Metric(
    name="http.server.cut_sockets",
    kind=MetricKind.COUNTER,
    unit="{socket}",
    labels=("reason",),
    help="How many web sockets were cut whose client gave no sign of life, or took nothing.",
)
HTTP_CLIENT_DURATION: Final = Metric(
    name="http.client.request.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=("http.request.method", "server.address", "http.response.status_code"),
    help="How long outgoing calls took until their answer began; without a status none came.",
    bounds=_SECONDS,
)
