"""The database as an app: sessions that commit before the answer, models, migrations.

Names are imported when they are used, so that reading the settings loads neither FastAPI nor
SQLAlchemy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .atomics import atomic as atomic
    from .atomics import on_commit as on_commit
    from .handlers import non_atomic as non_atomic
    from .model import Model as Model
    from .model import utcnow as utcnow
    from .pool.gauges import DatabaseGauges as DatabaseGauges
    from .pool.gauges import Durations as Durations
    from .resources import database_gauges as database_gauges
    from .sessions import Session as Session
    from .settings import Database as Database
    from .unit import DbSession as DbSession
    from .unit import required as required
    from .unit import session as session
    from .unit import using as using

_LAZY = {
    "Database": "settings",
    "DatabaseGauges": "pool.gauges",
    "DbSession": "unit",
    "Durations": "pool.gauges",
    "Model": "model",
    "Session": "sessions",
    "atomic": "atomics",
    "database_gauges": "resources",
    "non_atomic": "handlers",
    "on_commit": "atomics",
    "required": "unit",
    "session": "unit",
    "using": "unit",
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
