"""The settings that the framework itself reads."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ..conf import App, Section, Setting
from ..exceptions import SettingsError
from ..middleware.hosts import usable_host_pattern
from ..middleware.proxies import usable_proxy
from ..tasks.schedules.zones import usable_zone

__all__ = ["PLAIN_SETTINGS", "PRE_STOP_VARIABLE", "Server"]

MIB: Final = 1024 * 1024

PRE_STOP_VARIABLE: Final = "FASTFORGE_PRE_STOP_S"
"""Where a platform says how long it waits before SIGTERM, which takes the place of a drain."""

_SECONDS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")

HostPattern = Annotated[str, AfterValidator(usable_host_pattern)]
Proxy = Annotated[str, AfterValidator(usable_proxy)]


def _some_hosts(patterns: list[str]) -> list[str]:
    if not patterns:
        raise ValueError("no request would be answered; name the hosts, or '*' for every one")
    return patterns


def _each(keys: object) -> object:
    """Read a text, as of one variable or one file, as the keys in it: commas or lines between."""
    return keys.replace(",", " ").split() if isinstance(keys, str) else keys


def _no_empty_key(keys: list[str]) -> list[str]:
    if not all(keys):
        raise ValueError("an empty key signs nothing; leave it out")
    return keys


class Server(Section, setting="SERVER"):
    """How a process starts and stops, and how much of it one request may take.

    Attributes:
        start_deadline_s: How long a required resource is tried again at the start, in seconds;
            30, in development and tests 0: one attempt, so that a mistake shows at once.
        pre_stop_s: How long the platform waits between taking a process out of its load balancer
            and SIGTERM, in seconds. It is for what is computed from it: files of `manage deploy`,
            checks.
        drain_s: How long new connections are still taken after SIGTERM, in seconds, while the
            process says that it is not ready and every answer closes its connection: the time
            that a load balancer takes to notice. 5, in development and tests 0.
        linger_s: How long connections that are open but silent may still ask once no new ones are
            taken, in seconds; 1, in development and tests 0.
        graceful_s: How long requests in flight may go on after that, in seconds. Those whose
            answer has not begun then are answered with 503.
        teardown_s: How long closing all resources may take, in seconds. The services have stopped
            before, each within its own `drain_s`.
        request_timeout_s: How long a handler may take until its answer begins, in seconds; then
            the client has a 504. 0: no limit.
        concurrency_limit: How many requests one process works on; more are answered with 503.
            None: no limit.
        max_body_bytes: The size of a request's body. A route may have its own `max_body_size`.
        max_form_fields: How many fields a form may have.
        max_form_files: How many files a form may have.
        max_form_part_bytes: The size of one field of a form that is no file.
        max_headers: How many headers a request may have.
        max_header_bytes: The size of all headers of a request together.
        max_url_bytes: The length of a request's URL.
        header_timeout_s: How long a new connection may say nothing, and how long the headers of a
            request may take, in seconds; then the client has a 408. This and what follows is
            watched by our own server; 0 means no limit.
        body_timeout_s: How long a client may send nothing of a body that is waited for, in
            seconds.
        min_body_bytes_per_s: How fast a body has to come on average, once `body_timeout_s` are
            over.
        write_timeout_s: How long a client may take nothing of an answer that waits for it, in
            seconds; then its connection is cut.
        keep_alive_s: How long a connection may be idle between requests, in seconds.
        websocket_max_message_bytes: The size of one message of a web socket's client; after a
            larger one the socket is closed with 1009. This and what follows holds under our own
            server, and under uvicorn with our protocol.
        websocket_inbox_bytes: How much a client may have sent that the application has not
            received yet; then no more is read until it has.
        websocket_ping_s: How often a client is asked for a sign of life, in seconds; 0: never.
        websocket_pong_s: How long it may take to give one, in seconds; then it is cut. 0: for
            ever.
        websocket_send_timeout_s: How long a client may take nothing while more waits for it than
            may, in seconds; then it is cut. 0: for ever.
        websocket_close_s: How long a client may take to confirm that the socket is closed, and
            an application that takes its sockets over to close one, in seconds.
        websocket_write_buffer_bytes: How much may wait for a client in this process before
            `send` waits.
        websocket_send_buffer_bytes: How much may wait for it in the kernel; 0: what the system
            thinks right, which is some million bytes.
        websocket_compression: Whether messages are compressed, for clients that can do it. It
            takes about as much memory as an idle socket itself.
        threads: How many plain `def` handlers, dependencies and offloaded functions run at the
            same time in one process.
        offload_processes: How many processes `offload` may start for work that needs a CPU.
        workers: How many processes serve on one host; None: worked out from its CPUs and `work`.
        work: What requests do most: `io`, they wait for a network or a database, and there may be
            more processes than CPUs; `cpu`, they compute, and there are as many.
        max_requests: After about how many requests a process stops by itself, for whoever started
            it to start another; each has up to a tenth more, by chance. None: never.
        processes: How many processes serve at most, on all hosts together; None: those of one
            host. It starts none: whoever has more hosts says so here, for what counts by it, such
            as `manage check --database`.
    """

    start_deadline_s: float | None = Field(default=None, ge=0)
    pre_stop_s: float = Field(default=0, ge=0)
    drain_s: float | None = Field(default=None, ge=0)
    linger_s: float | None = Field(default=None, ge=0)
    graceful_s: float = Field(default=25, ge=0)
    teardown_s: float = Field(default=10, gt=0)
    request_timeout_s: float = Field(default=30, ge=0)
    concurrency_limit: int | None = Field(default=None, ge=1)
    max_body_bytes: int = Field(default=MIB, ge=0)
    max_form_fields: int = Field(default=1000, ge=0)
    max_form_files: int = Field(default=100, ge=0)
    max_form_part_bytes: int = Field(default=MIB, ge=0)
    max_headers: int = Field(default=100, ge=1)
    max_header_bytes: int = Field(default=32 * 1024, ge=1)
    max_url_bytes: int = Field(default=8192, ge=1)
    header_timeout_s: float = Field(default=5, ge=0)
    body_timeout_s: float = Field(default=10, ge=0)
    min_body_bytes_per_s: int = Field(default=500, ge=0)
    write_timeout_s: float = Field(default=60, ge=0)
    keep_alive_s: float = Field(default=75, ge=0)
    websocket_max_message_bytes: int = Field(default=MIB, ge=1)
    websocket_inbox_bytes: int = Field(default=64 * 1024, ge=1)
    websocket_ping_s: float = Field(default=20, ge=0)
    websocket_pong_s: float = Field(default=20, ge=0)
    websocket_send_timeout_s: float = Field(default=20, ge=0)
    websocket_close_s: float = Field(default=5, gt=0)
    websocket_write_buffer_bytes: int = Field(default=64 * 1024, ge=1)
    websocket_send_buffer_bytes: int = Field(default=128 * 1024, ge=0)
    websocket_compression: bool = False
    threads: int = Field(default=40, ge=1)
    offload_processes: int = Field(default=2, ge=1)
    workers: int | None = Field(default=None, ge=1)
    work: Literal["io", "cpu"] = "io"
    max_requests: int | None = Field(default=None, ge=1)
    processes: int | None = Field(default=None, ge=1)

    def start_deadline_in(self, environment: str) -> float:
        """Return the start deadline that holds in an environment, in seconds."""
        return self._in(environment, "start_deadline_s")

    def pre_stop_here(self) -> float:
        """Return how long the platform waits before SIGTERM, in seconds.

        Raises:
            SettingsError: FASTFORGE_PRE_STOP_S is no time.
        """
        waits_s = _waits_s()
        return self.pre_stop_s if waits_s is None else waits_s

    def drain_in(self, environment: str) -> float:
        """Return how long connections are still taken after SIGTERM, in seconds.

        No time where FASTFORGE_PRE_STOP_S says that the platform waits before: once is enough.

        Raises:
            SettingsError: FASTFORGE_PRE_STOP_S is no time.
        """
        return 0 if _waits_s() is not None else self._in(environment, "drain_s")

    def spread_in(self, environment: str) -> float:
        """Return over how long web sockets are closed after SIGTERM, in seconds.

        It is `drain_s`, also where the platform has waited before, and nothing else is left to
        do: their clients would come back all at once. It is half of `graceful_s` at most then.

        Raises:
            SettingsError: FASTFORGE_PRE_STOP_S is no time.
        """
        in_time_s = min(self._in(environment, "drain_s"), self.graceful_s / 2)
        return max(self.drain_in(environment), in_time_s)

    def linger_in(self, environment: str) -> float:
        """Return how long silent connections may still ask after that, in seconds."""
        return self._in(environment, "linger_s")

    def defaults_in(self, environment: str) -> dict[str, float]:
        """Return the times where none are written: only production waits, for what others do."""
        is_production = environment == "production"
        times = {"start_deadline_s": 30, "drain_s": 5, "linger_s": 1}
        return {name: time if is_production else 0 for name, time in times.items()}

    def _in(self, environment: str, field: str) -> float:
        written: float | None = getattr(self, field)
        return self.defaults_in(environment)[field] if written is None else written


def _waits_s() -> float | None:
    """Return what FASTFORGE_PRE_STOP_S says; None where it is not set."""
    text = os.environ.get(PRE_STOP_VARIABLE, "").strip()
    if not text:
        return None
    if not _SECONDS.fullmatch(text):
        raise SettingsError(
            f"{PRE_STOP_VARIABLE} is {text!r}",
            code="deploy.E004",
            hint="set it to the seconds that the platform waits before SIGTERM, or unset it",
        )
    return float(text)


PLAIN_SETTINGS: Final = (
    Setting(
        name="DEBUG",
        type=bool,
        default=lambda environment: environment == "development",
        help="Show details of errors to whoever asks; on exactly in development unless set.",
    ),
    Setting(
        name="SECRET_KEY",
        type=str,
        default="",
        help="Signs what the project hands out; 32 random bytes or more, different everywhere.",
    ),
    Setting(
        name="SECRET_KEY_FALLBACKS",
        type=Annotated[list[str], BeforeValidator(_each), AfterValidator(_no_empty_key)],
        default=lambda environment: [],
        help="Keys that were SECRET_KEY before: what they signed is still accepted.",
    ),
    Setting(
        name="ALLOWED_HOSTS",
        type=Annotated[list[HostPattern], AfterValidator(_some_hosts)],
        default=lambda environment: ["localhost", "127.0.0.1", "[::1]"],
        help="The Host headers that are answered; `*` for all, `*.example.com` for subdomains.",
    ),
    Setting(
        name="TRUSTED_PROXIES",
        type=list[Proxy],
        default=lambda environment: [],
        help="Networks whose X-Forwarded-* headers and request ids are believed, or `unix`.",
    ),
    Setting(
        name="TIME_ZONE",
        type=Annotated[str, AfterValidator(usable_zone)],
        default="UTC",
        help="The IANA name of the time zone of schedules that name none.",
    ),
    Setting(
        name="DOCS",
        type=bool,
        default=lambda environment: environment != "production",
        help="Serve /docs, /redoc and /openapi.json; off in production unless set.",
    ),
    Setting(
        name="INSTALLED_APPS",
        type=list[str | App],
        default=lambda environment: [],
        help="The apps of the project, those that others require first.",
    ),
    Setting(
        name="MIDDLEWARE",
        type=list[Any],
        default=lambda environment: [],
        help="ASGI middleware around the whole application, the outermost first.",
    ),
    Setting(
        name="SILENCED_CHECKS",
        type=dict[str, str],
        default=lambda environment: {},
        help="Ids of checks that are not reported, each with the reason.",
    ),
)
