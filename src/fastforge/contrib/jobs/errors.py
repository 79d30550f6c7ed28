"""Which errors of a database mean that the same call may succeed later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc

from ..._utils import told
from ...tasks.backend import BackendAway, BackendUnready
from ..db.errors import describe
from ..db.faults.missing import schema_missing

__all__ = ["away_when_unreachable"]

# By SQLSTATE: connections, resources, operators, locks, deadlocks, the system, broken transactions.
_MAY_PASS: Final = ("08", "53", "55", "57", "40", "58", "25")
_SQLITE_MAY_PASS: Final = ("BUSY", "LOCKED", "IOERR", "CANTOPEN", "FULL", "PROTOCOL", "READONLY")
# Mistakes of ours or of the data, which some drivers report without a SQLSTATE.
_MISTAKES: Final = (
    exc.DataError,
    exc.IntegrityError,
    exc.NotSupportedError,
    exc.ProgrammingError,
)


@contextmanager
def away_when_unreachable() -> Iterator[None]:
    """Turn an error that may pass into BackendAway.

    Raises:
        BackendAway: The database cannot be reached, is overloaded, or broke the transaction off.
        BackendUnready: There is no table of jobs: a worker in the development server may run
            before the first `migrate`.
    """
    try:
        yield
    except Exception as error:
        if missing := schema_missing(error):
            raise BackendUnready(missing.message, code=missing.code, hint=missing.hint) from error
        if not _may_pass(error):
            raise
        raise BackendAway(
            told(getattr(error, "orig", None) or error),
            code="jobs.E001",
            hint="the same call may succeed later",
        ) from error


def _may_pass(error: Exception) -> bool:
    if isinstance(error, OSError | TimeoutError | exc.TimeoutError | exc.InterfaceError):
        return True
    name = getattr(getattr(error, "orig", None), "sqlite_errorname", None)
    if isinstance(name, str):
        return name.removeprefix("SQLITE_").startswith(_SQLITE_MAY_PASS)
    state = describe(error).sqlstate
    if state is not None:
        return state[:2] in _MAY_PASS
    return isinstance(error, exc.DBAPIError) and not isinstance(error, _MISTAKES)
