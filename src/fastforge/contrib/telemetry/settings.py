"""The setting TELEMETRY."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from ..._utils import redact
from ...conf import Section

__all__ = ["SAMPLE_RATIOS", "Telemetry", "usable_endpoint"]

SAMPLE_RATIOS: Final[Mapping[str, float]] = MappingProxyType(
    {"development": 1.0, "test": 1.0, "production": 0.05}
)
"""How much of what nobody else has decided about is recorded, by the environment."""
_HIDDEN: Final = "***"


def usable_endpoint(url: str) -> str:
    """Return the URL of a collector as it was given.

    Raises:
        ValueError: It is none.
    """
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("it has to be an http:// or https:// URL, as http://localhost:4318 is")
    if parts.query or parts.fragment:
        raise ValueError("it ends before the question mark: what is secret belongs into headers")
    return url


def _whole_path(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(f"the path {path!r} has to begin with /")
    return path


class Telemetry(Section, setting="TELEMETRY"):
    """Where traces and metrics go, and how many.

    ```python
    TELEMETRY = Telemetry(
        endpoint=env("COLLECTOR_URL", default="http://localhost:4318"),
        headers={"authorization": env.secret("COLLECTOR_TOKEN", default="")},
    )
    ```

    Surprises: a field that is not written is read from the environment variable that
    OpenTelemetry has for it, such as `OTEL_EXPORTER_OTLP_ENDPOINT`. A field and a variable that
    say different things are refused. Without an endpoint in either nothing is traced.

    Attributes:
        endpoint: The collector: `v1/traces` and `v1/metrics` are added to it.
        protocol: How it is spoken to.
        headers: Sent with each export; their values are secrets.
        service_name: What this is; the project's package where it is not written.
        service_version: Which version; that of the project's `pyproject.toml`.
        deployment: Where it runs; `FASTFORGE_ENV`, such as `production`.
        instance: Which process of it; the host, the process's id and a number. One that you
            write is the same for all processes of a host.
        attributes: More that is known of the process: `{"cloud.region": "eu-west-1"}`.
        sample_ratio: How much is recorded of what nobody else has decided about, from 0 to 1;
            0.05, and all in development and tests. Whoever calls with a trace has decided.
        traces: Whether there are any.
        metrics: Whether there are any.
        operation_spans: Whether FastAPI adds spans of dependencies, the handler, serialization
            and background tasks: four and more for each request.
        exclude: Paths that are not traced, nor what is below them; the probes never are.
        answer_header: Whether answers of recorded requests have the header `traceresponse`.
        export_interval_s: How long spans are collected before they are sent, in seconds.
        metrics_interval_s: How often metrics are sent, in seconds.
        export_timeout_s: How long the collector may take to answer, in seconds.
        queue_size: How many spans are kept while it does not answer; then the oldest are lost.
        batch_size: How many are sent at once.
        compression: Of what is sent.
        flush_timeout_s: How long the end of a process waits for the last of them, in seconds.
    """

    endpoint: Annotated[str, AfterValidator(usable_endpoint)] = ""
    protocol: Literal["http/protobuf"] = "http/protobuf"
    headers: Mapping[str, str] = {}
    service_name: str = ""
    service_version: str = ""
    deployment: str = ""
    instance: str = ""
    attributes: Mapping[str, str] = {}
    sample_ratio: float | None = Field(default=None, ge=0, le=1)
    traces: bool = True
    metrics: bool = True
    operation_spans: bool = False
    exclude: Sequence[Annotated[str, AfterValidator(_whole_path)]] = ()
    answer_header: bool = True
    export_interval_s: float = Field(default=5, gt=0)
    metrics_interval_s: float = Field(default=60, gt=0)
    export_timeout_s: float = Field(default=10, gt=0)
    queue_size: int = Field(default=2048, ge=1)
    batch_size: int = Field(default=512, ge=1)
    compression: Literal["none", "gzip"] = "none"
    flush_timeout_s: float = Field(default=2, ge=0, le=4)

    def defaults_in(self, environment: str) -> Mapping[str, Any]:
        """Return what None stands for."""
        return {"sample_ratio": SAMPLE_RATIOS.get(environment, SAMPLE_RATIOS["production"])}

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            if name == "headers":
                yield name, dict.fromkeys(value, _HIDDEN)
            else:
                yield name, redact(value) if name == "endpoint" and value else value
