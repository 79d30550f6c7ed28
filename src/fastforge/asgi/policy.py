"""Policy: what the settings say of the edge, in the form in which the edge asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp

from ..core.settings import Server
from ..lifecycle import Container
from ..middleware.headers import hsts_header, security_headers
from ..middleware.hosts import AllowedHosts
from ..middleware.origins import SocketOrigins
from ..middleware.policy import ClientOf, EdgePolicy, Header, Refuse
from ..middleware.proxies import TrustedProxies
from ..observability.access import AccessLog
from ..project import Project
from ..web.audience import Audience
from ..web.errors.handlers import refusal
from ..web.errors.resolution import ErrorFormats
from ..web.health import live_probe, ready_probe, startup_probe
from ..web.limits import shortest_time_limit, time_limit_of
from ..web.settings import Cors, Health, Security

__all__ = ["edge_policy", "response_headers"]

Layer = Callable[[ASGIApp], ASGIApp]


def edge_policy(
    project: Project,
    app: FastAPI,
    *,
    running: Callable[[], Container | None],
    has_started: Callable[[], bool],
    formats: ErrorFormats | None = None,
    access_log: AccessLog | None = None,
) -> EdgePolicy:
    """Return the rules of a project's edge.

    Args:
        project: The project.
        app: Its application, with the routes that it has by now.
        running: Gives the container of the running project, if it is running.
        has_started: Says whether its start is over.
        formats: What the application's error answers look like.
        access_log: Where a line is written for each request.
    """
    server = project.settings.section(Server)
    security = project.settings.section(Security)
    cross = project.settings.section(Cors)
    cors = _cors(cross)
    default_s = server.request_timeout_s or None
    refuse = refusal(formats or ErrorFormats())
    return EdgePolicy(
        allows_host=_allowed_hosts(project),
        allows_socket=_socket_origins(security, cross),
        client_of=_client_of(project),
        response_headers=response_headers(security),
        https_headers=hsts_header(
            security.hsts_max_age_s, include_subdomains=security.hsts_include_subdomains
        ),
        around=cors,
        time_limit_of=partial(time_limit_of, default_s=default_s),
        shortest_time_limit_s=shortest_time_limit(app.routes, default_s),
        concurrency_limit=server.concurrency_limit,
        max_headers=server.max_headers,
        max_header_bytes=server.max_header_bytes,
        refuse=refuse if cors is None else _marked(cors, refuse),
        probes=dict(_probes(project.settings.section(Health), running, has_started)),
        access_log=access_log,
    )


def response_headers(security: Security) -> tuple[Header, ...]:
    """Return the headers that browsers find on every answer of a project."""
    return security_headers(
        content_type_options=security.content_type_options,
        frame_options=security.frame_options,
        referrer_policy=security.referrer_policy,
        opener_policy=security.opener_policy,
        content_security_policy=security.content_security_policy,
    )


def _allowed_hosts(project: Project) -> AllowedHosts:
    allowed: list[str] = [*project.settings["ALLOWED_HOSTS"]]
    if project.settings.environment == "test":
        allowed.append("testserver")  # what Starlette's test client calls itself
    return AllowedHosts(allowed)


def _socket_origins(security: Security, cors: Cors) -> SocketOrigins:
    """Return whose pages may open sockets, with which browsers send cookies along.

    Pages that CORS lets in without cookies are therefore not among them.
    """
    named = [*security.socket_origins]
    if not cors.allow_credentials:
        return SocketOrigins(named)
    return SocketOrigins([*named, *cors.allow_origins], cors.allow_origin_regex)


def _client_of(project: Project) -> ClientOf | None:
    proxies: list[str] = project.settings["TRUSTED_PROXIES"]
    return TrustedProxies(proxies).client_of if proxies else None


def _cors(cors: Cors) -> Layer | None:
    if not cors.is_wanted:
        return None
    from starlette.middleware.cors import CORSMiddleware

    return partial(
        CORSMiddleware,
        allow_origins=cors.allow_origins,
        allow_origin_regex=cors.allow_origin_regex or None,
        allow_methods=cors.allow_methods,
        allow_headers=cors.allow_headers,
        allow_credentials=cors.allow_credentials,
        expose_headers=cors.expose_headers,
        max_age=cors.max_age_s,
    )


def _marked(cors: Layer, plain: Refuse) -> Refuse:
    """Return refusals that a page of another origin may read.

    A preflight request is answered as ever: the request that follows it is refused, and its page
    then learns why.
    """

    def refuse(status: int, *, detail: str, code: str, headers: Mapping[str, str]) -> ASGIApp:
        return cors(plain(status, detail=detail, code=code, headers=headers))

    return refuse


def _probes(
    health: Health, running: Callable[[], Container | None], has_started: Callable[[], bool]
) -> Iterator[tuple[str, ASGIApp]]:
    if health.startup_path:
        yield health.startup_path, startup_probe(has_started)
    if health.live_path:
        yield health.live_path, live_probe()
    if health.ready_path:
        yield (
            health.ready_path,
            ready_probe(
                running,
                timeout_s=health.timeout_s,
                cache_s=health.cache_s,
                grace_s=health.grace_s,
                shows_details=Audience(health.details_to, health.details_token).admits,
            ),
        )
