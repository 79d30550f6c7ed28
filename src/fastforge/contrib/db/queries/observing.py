"""Observing: where the statements of an engine are timed, tagged and counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import Engine

from ..pool.calls import Execute, wrap_calls
from ..sessions.current import current_unit
from ..settings import Database
from .comments import comments_of
from .repeated import Repetitions
from .slow import log_slow_query
from .tally import TALLY, Tally

__all__ = ["observe_queries"]

Report: TypeAlias = Callable[[float, str, Any, Any, BaseException | None], None]


def observe_queries(
    engine: Engine,
    config: Database,
    *,
    project: str,
    environment: str,
    debug: bool = False,
) -> None:
    """Hook what the settings of a database ask for into its engine; nothing for nothing.

    It is done where the dialect calls the driver, which has the time of the way there and back
    and of nothing else: 0.12 us a statement, where two events of SQLAlchemy's cost many times that.

    Args:
        engine: The engine, which nobody uses yet.
        config: Its section: slow_query_ms, repeated_queries, sql_comment.
        project: The project's name, for the comment; empty for no comment.
        environment: `development` warns of repeated statements.
        debug: Whether answers tell how many statements there were.
    """
    dialect = engine.dialect
    if config.sql_comment and project:  # the innermost: nobody else is to see it
        percent = "%%" if dialect.paramstyle in ("format", "pyformat") else "%"
        comment = comments_of(project, percent=percent)
        wrap_calls(dialect, lambda call: _commented(call, comment))
    if config.slow_query_ms:
        limit_s = config.slow_query_ms / 1000
        wrap_calls(dialect, lambda call: _timed(call, limit_s, log_slow_query))
        _time_commits(dialect, limit_s, log_slow_query)
    repeats = config.repeated_queries if environment == "development" else 0
    if debug or repeats:
        count = _counting(Repetitions(), limit=repeats, is_shown=debug)
        wrap_calls(dialect, lambda call: _timed(call, 0, count))
        _time_commits(dialect, 0, count)


def _commented(call: Execute, comment: Callable[[], str]) -> Execute:
    def commented(cursor: Any, sql: str, parameters: Any, context: Any = None) -> None:
        call(cursor, comment() + sql, parameters, context)

    return commented


def _timed(call: Execute, limit_s: float, report: Report) -> Execute:
    """Return a call of the driver that reports what took this long, failed or not."""
    clock = time.perf_counter  # every statement pays for what stands here

    def timed(cursor: Any, sql: str, parameters: Any, context: Any = None) -> None:
        started = clock()
        try:
            call(cursor, sql, parameters, context)
        except BaseException as error:
            duration_s = clock() - started
            if duration_s >= limit_s:
                report(duration_s, sql, cursor, context, error)
            raise
        duration_s = clock() - started
        if duration_s >= limit_s:
            report(duration_s, sql, cursor, context, None)

    return timed


def _counting(repetitions: Repetitions, *, limit: int, is_shown: bool) -> Report:
    """Return what counts a statement for the request or job that runs it."""

    def count(
        duration_s: float, sql: str, _cursor: Any, context: Any, error: BaseException | None
    ) -> None:
        unit = current_unit()
        if unit is None:
            return
        tally: Tally | None = unit.scope.get(TALLY)
        if tally is None:
            tally = unit.scope[TALLY] = Tally(is_shown=is_shown)
        failure = "" if error is None else type(error).__name__
        times = tally.add(sql, duration_s, failure)
        if limit and times == limit:
            repetitions.warn(limit, sql, context)

    return count


def _time_commits(dialect: Any, limit_s: float, report: Report) -> None:
    """Report each COMMIT as a statement, which it is not: a client waits for it all the same."""
    call = dialect.do_commit

    def commit(_cursor: Any, _sql: str, connection: Any, _context: Any = None) -> None:
        call(connection)

    timed = _timed(commit, limit_s, report)
    dialect.do_commit = lambda connection: timed(None, "COMMIT", connection)
