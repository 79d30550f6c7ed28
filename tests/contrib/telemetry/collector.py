"""A collector: an OTLP/HTTP receiver in a thread, which decodes what it is sent."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.processes import free_port, wait_until

__all__ = ["Collector", "Received", "collecting"]

KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"]


@dataclass(frozen=True)
class Received:
    """A span as the collector got it."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent: str
    attributes: dict[str, Any]
    links: list[tuple[str, str]]
    events: list[tuple[str, dict[str, Any]]]
    failed: bool
    resource: dict[str, Any]
    scope: str
    started: int
    ended: int

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.attributes}"


@dataclass
class Collector:
    """What was sent, and how the next export is answered."""

    port: int
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    wait_before_answer: threading.Event | None = None
    asked: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    metric_bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[Received]:
        with self.lock:
            bodies = list(self.bodies)
        return [span for body in bodies for span in decoded(body)]

    @property
    def metrics(self) -> list[Any]:
        with self.lock:
            bodies = list(self.metric_bodies)
        return [
            (resource.resource, metric)
            for body in bodies
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    def wait_for(self, *names: str, count: int = 1) -> list[Received]:
        """Wait until spans of all these names are there; return all spans."""

        def there() -> bool:
            found = [span.name for span in self.spans]
            return all(found.count(name) >= count for name in names)

        wait_until(there, describe=lambda: [str(span) for span in self.spans])
        return self.spans

    def one(self, name: str) -> Received:
        """Return the one span of a name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def children(self, parent: Received) -> list[str]:
        """Return the names of the spans below one, in the order of their beginning."""
        found = [span for span in self.spans if span.parent == parent.span_id]
        return [span.name for span in sorted(found, key=lambda span: span.started)]


def decoded(body: bytes) -> Iterator[Received]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        known = values(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Received(
                    name=span.name,
                    kind=KINDS[span.kind],
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    attributes=values(span.attributes),
                    links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                    events=[(event.name, values(event.attributes)) for event in span.events],
                    failed=span.status.code == 2,
                    resource=known,
                    scope=scope.scope.name,
                    started=span.start_time_unix_nano,
                    ended=span.end_time_unix_nano,
                )


def values(pairs: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in pairs}


@contextmanager
def collecting(
    port: int | None = None, *, prepare: Callable[[Collector], None] = lambda _: None
) -> Iterator[Collector]:
    """Run a collector."""
    collector = Collector(port or free_port())
    prepare(collector)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            with collector.lock:
                collector.asked += 1
                waits, status = collector.wait_before_answer, collector.status
            if waits is not None:
                waits.wait(120)
                status = collector.status
            if status == 200:
                with collector.lock:
                    collector.headers.append({k.lower(): v for k, v in self.headers.items()})
                    is_traces = self.path.endswith("/v1/traces")
                    (collector.bodies if is_traces else collector.metric_bodies).append(body)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

        def handle(self) -> None:
            with suppress(OSError):  # whoever asked is gone
                super().handle()

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", collector.port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield collector
        finally:
            if collector.wait_before_answer is not None:
                collector.status = 503  # what hangs now is not taken: it is for the next collector
                collector.wait_before_answer.set()
            server.shutdown()
            thread.join()
