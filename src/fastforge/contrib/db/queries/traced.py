"""Traced: the spans of statements and commits, where a request or job is recorded."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import Any, Final

from sqlalchemy import Engine

from ....observability.tracing import Attributes, Span, is_traced, span
from ..pool.calls import Execute, wrap_calls
from .shown import shown

__all__ = ["summary_of", "trace_queries"]

_COMMENT: Final = re.compile(r"\s*(?:/\*.*?\*/\s*|--[^\n]*\n\s*)*", re.DOTALL)
_OPERATION: Final = re.compile(r"[a-z]+", re.IGNORECASE)
_TARGET: Final = re.compile(
    r"\b(?:from|into|update|join|table)\s+(?:only\s+)?([\w.\"]+)", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"(?<![\w$.:\"])\d+(?:\.\d+)?\b")
_COMMIT: Final = "COMMIT"
_SYSTEMS: Final = {"sqlite": "sqlite", "postgresql": "postgresql"}


def trace_queries(engine: Engine, *, name: str) -> None:
    """Let an engine tell of its statements, one span for each, and of its commits.

    It is done where the dialect calls the driver; where nothing is recorded it costs a look at a
    variable.

    Args:
        engine: The engine, which nobody uses yet.
        name: The database's name in DATABASES.
    """
    dialect, url = engine.dialect, engine.url
    known: dict[str, str | int] = {
        "db.system.name": _SYSTEMS.get(dialect.name, dialect.name),
        "fastforge.database": name,
    }
    if dialect.name != "sqlite":  # of a file, the path tells about the machine
        known |= {"server.address": url.host or "localhost", "db.namespace": url.database or ""}
        known |= {"server.port": url.port} if url.port else {}
    wrap_calls(dialect, partial(_traced, known=known))
    # A rollback is no span: drivers are told to at the end of each read, where there is nothing.
    dialect.do_commit = _traced_commit(dialect.do_commit, known)  # type: ignore[method-assign]


def _traced(call: Execute, known: Attributes) -> Execute:
    def traced(cursor: Any, sql: str, parameters: Any, context: Any = None) -> None:
        if not is_traced():
            call(cursor, sql, parameters, context)
            return
        summary, told = _described(sql)
        with span(summary, kind="client", attributes={**known, **told}) as current:
            if context is not None and context.executemany:
                current.set_attribute("db.operation.batch.size", len(parameters))
            try:
                call(cursor, sql, parameters, context)
            except Exception as error:
                _tell_state(current, error)
                raise

    return traced


def _traced_commit(call: Any, known: Attributes) -> Any:
    told = {**known, "db.operation.name": _COMMIT, "db.query.summary": _COMMIT}

    def traced(connection: Any) -> None:
        if not is_traced():
            call(connection)
            return
        with span(_COMMIT, kind="client", attributes=told) as current:
            try:
                call(connection)
            except Exception as error:
                _tell_state(current, error)
                raise

    return traced


@lru_cache(maxsize=2048)
def _described(sql: str) -> tuple[str, dict[str, str]]:
    summary = summary_of(sql)
    text = _NUMBER.sub("?", shown(sql))
    told = {"db.query.summary": summary, "db.query.text": text}
    return summary, told | {"db.operation.name": summary.partition(" ")[0]}


def summary_of(sql: str) -> str:
    """Return what a statement does and to what first, of which there are few.

    >>> summary_of("INSERT INTO orders (total) VALUES ($1)")
    'INSERT orders'
    """
    body = sql[_COMMENT.match(sql).end() :]  # type: ignore[union-attr]
    operation = _OPERATION.match(body)
    if operation is None:
        return "SQL"
    target = _TARGET.search(body)
    words = [operation[0].upper(), *([] if target is None else [target[1].replace('"', "")])]
    return " ".join(words)


def _tell_state(current: Span, error: BaseException) -> None:
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        current.set_attribute("db.response.status_code", state)
