"""Checks of TELEMETRY: contradictions, what is recorded twice, what production is to know."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ...checks import Level, Message, check
from ...checks.nearness import is_near
from ...core.checks.served import served
from .plan import Plan, plan_of
from .settings import Telemetry

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "collector_is_named",
    "nobody_reads_on_the_way",
    "nothing_is_instrumented_twice",
    "sample_is_small",
    "variables_say_the_same",
]

_LAYERS: Final = "opentelemetry.instrumentation."
_TWICE: Final = ("asgi", "fastapi", "starlette", "sqlalchemy", "asyncpg", "psycopg", "aiosqlite",
                 "sqlite3", "redis", "httpx")  # fmt: skip
"""What fastforge has spans of: each of them is one more span for the same thing."""
_WRAPPER: Final = "opentelemetry.instrumentation.auto_instrumentation"
_AUTO: Final = "FASTAPI_OTEL_AUTO_CONFIGURE"


@check(tags={"telemetry"})
def variables_say_the_same(project: Project) -> Iterator[Message]:
    """Find variables of OpenTelemetry's that contradict TELEMETRY, or that nobody reads."""
    where = project.settings.where(Telemetry.setting_name)
    for fault in plan_of(project.settings).told.faults:
        text, hint = f"the variable {fault.variable}: {fault.reason}", fault.hint
        if fault.is_unread:
            yield Message(
                id="telemetry.W010", level=Level.WARNING, text=text, hint=hint, where=where
            )
        else:
            yield Message(id="telemetry.E010", level=Level.ERROR, text=text, hint=hint, where=where)


@check(tags={"telemetry"})
def nothing_is_instrumented_twice(project: Project) -> Iterator[Message]:
    """Refuse what would record a second span for each request, statement, command or call."""
    for found, hint in _second_instruments(project, os.environ):
        yield Message(
            id="telemetry.E011",
            level=Level.ERROR,
            text=f"{found} records what fastforge.contrib.telemetry records as well: each trace"
            " would have it twice",
            hint=hint,
            where=project.settings.where("TELEMETRY"),
        )


def _second_instruments(project: Project, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    app = served(project).app  # first: making it imports what instruments
    if environ.get(_AUTO, "").lower() == "true":
        yield f"the variable {_AUTO}", "unset it: TELEMETRY says where traces go"
    if _WRAPPER in sys.modules or _WRAPPER.replace(".", "/") in environ.get("PYTHONPATH", ""):
        yield (
            "the program opentelemetry-instrument",
            "start the server and the worker without it",
        )
    for layer in app.user_middleware if app else ():
        kind: Any = layer.cls
        module = getattr(kind, "__module__", "")
        if module.startswith(_LAYERS):
            yield (
                f"the middleware {kind.__qualname__} of {module}",
                "take it out: FastAPI's own telemetry is configured for the application",
            )
    for module, name in _instrumented():
        yield f"{name} of {module}", "do not call its instrument(): fastforge has these spans"


def _instrumented() -> Iterator[tuple[str, str]]:
    """Yield what has been instrumented in this process by the packages for that."""
    for area in _TWICE:
        module = sys.modules.get(f"{_LAYERS}{area}")
        for name, value in vars(module).items() if module else ():
            if name.endswith("Instrumentor") and isinstance(value, type) and _is_on(value):
                yield f"{_LAYERS}{area}", name


def _is_on(instrumentor: Any) -> bool:
    single = getattr(instrumentor, "_instance", None)
    return bool(getattr(single, "_is_instrumented_by_opentelemetry", False))


@check(tags={"telemetry"}, deploy=True)
def collector_is_named(project: Project) -> Iterator[Message]:
    """Tell that nothing is sent, although the app for it is installed."""
    plan = plan_of(project.settings)
    is_meant = plan.config.traces or plan.config.metrics
    if is_meant and not plan.is_wanted and not plan.told.is_disabled:
        yield Message(
            id="telemetry.W011",
            level=Level.WARNING,
            text="fastforge.contrib.telemetry is installed and has no endpoint: nothing is sent",
            hint="write TELEMETRY.endpoint, or set OTEL_EXPORTER_OTLP_ENDPOINT where it runs",
            where=project.settings.where(Telemetry.setting_name),
        )


@check(tags={"telemetry", "security"}, deploy=True)
def nobody_reads_on_the_way(project: Project) -> Iterator[Message]:
    """Tell that traces leave the network unencrypted."""
    plan = plan_of(project.settings)
    if shown := sorted({host for host in _hosts(plan) if not is_near(host)}):
        secret = ", and the headers with their secrets," if plan.config.headers else ""
        yield Message(
            id="telemetry.W012",
            level=Level.WARNING,
            text=f"traces{secret} go to {', '.join(shown)} without encryption",
            hint="write https://, or send to a collector on the same host or network",
            where=project.settings.where(Telemetry.setting_name),
        )


@check(tags={"telemetry"}, deploy=True)
def sample_is_small(project: Project) -> Iterator[Message]:
    """Tell that every request pays for its trace."""
    plan = plan_of(project.settings)
    if project.settings.environment == "production" and plan.traces_url and plan.sample_ratio == 1:
        yield Message(
            id="telemetry.W013",
            level=Level.WARNING,
            text="every request is recorded (sample_ratio 1): each costs several times the CPU of"
            " one that is not",
            hint="lower TELEMETRY.sample_ratio; let the collector keep what failed or was slow, or"
            " silence this where there are few requests",
            where=project.settings.where(Telemetry.setting_name),
        )


def _hosts(plan: Plan) -> Iterator[str]:
    """Yield the hosts to which something goes without encryption."""
    for url in (plan.traces_url, plan.metrics_url):
        parts = urlsplit(url)
        if parts.scheme == "http":
            yield parts.hostname or ""
