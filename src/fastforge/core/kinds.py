"""The kinds of components that every project has."""

from __future__ import annotations

from .. import checks, lifecycle
from ..cache import kinds as cache
from ..channels import kinds as channels
from ..commands import shell
from ..observability.metrics import source
from ..tasks import kinds as tasks
from ..web import kinds as web

__all__ = [
    "CACHE_BACKENDS",
    "CALLERS",
    "CHANNELS",
    "CHANNEL_BACKENDS",
    "CHANNEL_GUARDS",
    "CHECKS",
    "ERROR_FORMATS",
    "ERROR_PANELS",
    "EXAMINATIONS",
    "JOB_LISTENERS",
    "METRIC_SOURCES",
    "MIDDLEWARE",
    "NOTICES",
    "OPENAPI_PARTS",
    "RESOURCES",
    "ROUTERS",
    "SCHEDULES",
    "SCOPES",
    "SERVICES",
    "SHELL_NAMES",
    "TASKS",
    "TASK_BACKENDS",
    "TRANSACTIONS",
]

RESOURCES = lifecycle.RESOURCES
SERVICES = lifecycle.SERVICES
SCOPES = lifecycle.SCOPES
NOTICES = lifecycle.NOTICES
TRANSACTIONS = lifecycle.TRANSACTIONS
ROUTERS = web.ROUTERS
MIDDLEWARE = web.MIDDLEWARE
ERROR_FORMATS = web.ERROR_FORMATS
ERROR_PANELS = web.ERROR_PANELS
CALLERS = web.CALLERS
OPENAPI_PARTS = web.OPENAPI_PARTS
TASKS = tasks.TASKS
TASK_BACKENDS = tasks.TASK_BACKENDS
SCHEDULES = tasks.SCHEDULES
JOB_LISTENERS = tasks.JOB_LISTENERS
CACHE_BACKENDS = cache.CACHE_BACKENDS
CHANNELS = channels.CHANNELS
CHANNEL_BACKENDS = channels.CHANNEL_BACKENDS
CHANNEL_GUARDS = channels.CHANNEL_GUARDS
CHECKS = checks.CHECKS
EXAMINATIONS = checks.EXAMINATIONS
METRIC_SOURCES = source.METRIC_SOURCES
SHELL_NAMES = shell.SHELL_NAMES
