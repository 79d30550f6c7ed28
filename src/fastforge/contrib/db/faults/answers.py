"""Answers: what a request or a socket is told when the database says no, and what the log is."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from inspect import isawaitable, iscoroutinefunction
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import exc
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from ...._utils import failing_line
from ....exceptions import ForgeError
from ....observability.tracebacks import tracebacks_are_wanted
from ....web.errors.handlers import detail_of, headers_of, status_of
from ....web.errors.responses import problem_response
from .. import errors
from ..sessions.progress import AGAIN, PARTLY, something_is_committed
from .missing import schema_missing
from .unavailable import cause_of

__all__ = ["answer_of", "answer_of_failed_commit"]

logger = logging.getLogger("fastforge.contrib.db")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What becomes of a request that the database has refused.

    Attributes:
        status: The status of the answer.
        code: Its code, and that of the line in the log.
        words: What has happened, for the log; the facts follow.
        hint: What to do about it, for the log.
        detail: What the client is told: no name of ours, no value, no SQL.
        retry_after_s: When the client may try again; None where that would not help.
        level: That of the line in the log.
    """

    status: int
    code: str
    words: str
    hint: str = ""
    detail: str = ""
    retry_after_s: int | None = None
    level: int = logging.ERROR

    def after_a_commit(self) -> Refusal:
        """Return what is told where a part stays: not that nothing was done, nor to try again."""
        if self.detail not in (AGAIN, _NOT_AGAIN):
            return self
        return replace(
            self,
            status=500 if self.status == 503 else self.status,
            words=f"{self.words}, after a part of the request was committed",
            detail=PARTLY,
            retry_after_s=None,
            level=logging.ERROR,
        )


_NOT_AGAIN: Final = "this took too long; nothing has been written"
_LOOK: Final = "the outcome is not known: look before you try again"

_CONFLICT: Final = Refusal(
    status=409,
    code="db.E021",
    words="a request clashes with rows that are there",
    detail="this clashes with data that is there already, or needs data that is not",
    level=logging.INFO,
)
_BAD_VALUE: Final = Refusal(
    status=500,
    code="db.E050",
    words="the database does not take what a request would write",
    hint="let the request's own model refuse it (max_length, a required field), or catch the error",
)
_COLLISION: Final = Refusal(
    status=503,
    code="db.E051",
    words="a transaction got in the way of another one and was ended",
    hint="`@atomic(retries=3)` runs it again; one order of locking everywhere avoids deadlocks",
    detail=AGAIN,
    retry_after_s=1,
    level=logging.WARNING,
)
_LOCKED: Final = Refusal(
    status=503,
    code="db.E052",
    words="somebody else's lock was not released within lock_timeout_s",
    hint="look for what holds locks for long: a slow transaction, a migration",
    detail=AGAIN,
    retry_after_s=1,
    level=logging.WARNING,
)
_TOO_SLOW: Final = Refusal(
    status=504,
    code="db.E053",
    words="a statement ran for longer than statement_timeout_s, or somebody cancelled it",
    hint="give it an index or less to do, or move it into a task",
    detail=_NOT_AGAIN,
)
_NO_CONNECTION: Final = Refusal(
    status=503,
    code="db.E054",
    words="the server has no connection left",
    hint="raise max_connections, or lower pool_size: every process has a pool of its own",
    detail=AGAIN,
    retry_after_s=5,
)
_LOST: Final = Refusal(
    status=503,
    code="db.E055",
    words="the connection to the database was lost before the commit",
    hint="see the server's log: a restart, a failover, a time limit, an operator",
    detail=AGAIN,
    retry_after_s=1,
)
_UNKNOWN: Final = Refusal(
    status=500,
    code="db.E056",
    words="unknown outcome: the connection to the database was lost while COMMIT ran",
    hint="look at the rows before you repeat it",
    detail=_LOOK,
)
_UNREACHABLE: Final = Refusal(
    status=503,
    code="db.E020",
    words="the database cannot be reached",
    detail=AGAIN,
    retry_after_s=5,
)
_EXHAUSTED: Final = Refusal(
    status=503,
    code="db.E007",
    words="no connection of the pool became free in time",
    hint="use connections of the engine's own for a shorter time, or raise pool_size in DATABASES",
    detail=AGAIN,
    retry_after_s=1,
)

REFUSALS: Final[Mapping[type[Exception], Refusal]] = MappingProxyType(
    {
        errors.UniqueViolation: _CONFLICT,
        errors.ForeignKeyViolation: _CONFLICT,
        errors.ExclusionViolation: _CONFLICT,
        errors.NotNullViolation: _BAD_VALUE,
        errors.CheckViolation: _BAD_VALUE,
        errors.ValueTooLong: _BAD_VALUE,
        errors.ValueOutOfRange: _BAD_VALUE,
        errors.InvalidText: _BAD_VALUE,
        errors.SerializationFailure: _COLLISION,
        errors.Deadlock: _COLLISION,
        errors.LockTimeout: _LOCKED,
        errors.StatementTimeout: _TOO_SLOW,
        errors.TooManyConnections: _NO_CONNECTION,
        errors.ServerUnreachable: _UNREACHABLE,
        errors.CommitUnknown: _UNKNOWN,
        errors.ConnectionLost: _LOST,
        exc.TimeoutError: _EXHAUSTED,
    }
)
"""What each error is answered with; that of the nearest class holds."""


def answer_of(error: Exception) -> Response | None:
    """Return the answer to an error that nobody has handled, and log why; None: not ours to say.

    One line tells the place in the user's code, the constraint, the table and the column. It
    never has a value: FASTFORGE_TRACEBACK adds all of the error.
    """
    if missing := schema_missing(error):
        _log(logging.ERROR, missing, error)
        return problem_response(500, code=missing.code)
    refusal = next((REFUSALS[kind] for kind in type(error).__mro__ if kind in REFUSALS), None)
    if refusal is None or isinstance(error, ForgeError):  # ours, which knows itself what to say
        return None
    if something_is_committed():
        refusal = refusal.after_a_commit()
    _log(refusal.level, _told(refusal, error), error)
    headers = None
    if refusal.retry_after_s is not None:
        headers = {"Retry-After": str(refusal.retry_after_s)}
    return problem_response(
        refusal.status, detail=refusal.detail, code=refusal.code, headers=headers
    )


async def answer_of_failed_commit(error: Exception, scope: Scope, receive: Receive) -> Response:
    """Return what is answered in place of what a handler said, because nothing was committed.

    A handler of the user's for such errors is asked first, as it would be for an error of the
    route's.
    """
    return await _answer_of_the_user(error, scope, receive) or answer_of(error) or _failure(error)


async def _answer_of_the_user(error: Exception, scope: Scope, receive: Receive) -> Response | None:
    handlers, _ = scope.get("starlette.exception_handlers", ({}, {}))
    handler = next((handlers[kind] for kind in type(error).__mro__ if kind in handlers), None)
    if handler is None or isinstance(error, ForgeError):  # ours, which knows the error itself
        return None
    request = Request(scope, receive)
    said: Any = (
        handler(request, error)
        if iscoroutinefunction(handler)
        else await run_in_threadpool(handler, request, error)
    )
    answer: Response | None = await said if isawaitable(said) else said
    return answer


def _failure(error: Exception) -> Response:
    """Return the answer to an error that has none of its own."""
    if isinstance(error, ForgeError):
        logger.error("a request could not be committed: %s", error)
        return problem_response(
            status_of(error) or 500,
            detail=detail_of(error),
            code=error.code,
            headers=headers_of(error),
        )
    logger.error("a request could not be committed", exc_info=error)
    return problem_response(500, code="db.E022")


def _told(refusal: Refusal, error: Exception) -> errors.DatabaseError:
    """Return the line for the log as an error of ours: code, place, words, facts, hint."""
    words, hint = refusal.words, refusal.hint
    if isinstance(error, errors.ServerUnreachable):
        cause = cause_of(error)
        words, hint = f"the database {error.database} cannot be reached: {cause.words}", cause.hint
    elif isinstance(error, errors.DriverFault):
        words += _facts(error)
    return errors.DatabaseError(words, code=refusal.code, hint=hint, where=failing_line(error))


def _facts(error: errors.DriverFault) -> str:
    owner = ".".join(filter(None, (error.table, error.column)))
    named = " of ".join(filter(None, (error.constraint, owner)))
    facts = (type(error).__name__, named, error.sqlstate and f"SQLSTATE {error.sqlstate}")
    return f" ({', '.join(filter(None, facts))})"


def _log(level: int, line: ForgeError, error: Exception) -> None:
    logger.log(level, "%s", line, exc_info=error if tracebacks_are_wanted() else None)
