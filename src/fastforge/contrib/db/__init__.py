"""The database as an app: sessions that commit before the answer, models, migrations.

Names are imported when they are used, so that reading the settings loads neither FastAPI nor
SQLAlchemy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Model as Model
    from .model import utcnow as utcnow
    from .pool.gauges import DatabaseGauges as DatabaseGauges
    from .pool.gauges import Durations as Durations
    from .resources import database_gauges as database_gauges
    from .sessions.atomics import atomic as atomic
    from .sessions.atomics import on_commit as on_commit
    from .sessions.handlers import non_atomic as non_atomic
    from .sessions.session import Session as Session
    from .sessions.unit import DbSession as DbSession
    from .sessions.unit import required as required
    from .sessions.unit import session as session
    from .sessions.unit import using as using
    from .settings import Database as Database

_LAZY = {
    "Database": "settings",
    "DatabaseGauges": "pool.gauges",
    "DbSession": "sessions.unit",
    "Durations": "pool.gauges",
    "Model": "model",
    "Session": "sessions.session",
    "atomic": "sessions.atomics",
    "database_gauges": "resources",
    "non_atomic": "sessions.handlers",
    "on_commit": "sessions.atomics",
    "required": "sessions.unit",
    "session": "sessions.unit",
    "using": "sessions.unit",
    "utcnow": "model",
}

__all__ = [
    "Database",
    "DatabaseGauges",
    "DbSession",
    "Durations",
    "Model",
    "Session",
    "atomic",
    "database_gauges",
    "non_atomic",
    "on_commit",
    "required",
    "session",
    "using",
    "utcnow",
]


def __getattr__(name: str) -> object:
    from ..._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
