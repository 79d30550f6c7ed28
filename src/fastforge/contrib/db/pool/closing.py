"""Closing: the end of a connection whose statement was cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anyio import CancelScope
from sqlalchemy import Engine
from sqlalchemy.util.concurrency import in_greenlet

__all__ = ["close_in_peace"]


def close_in_peace(engine: Engine) -> None:
    """Close a connection whose statement was cancelled to its end, also in a scope of anyio.

    Such a scope cancels again and again. That of a stream whose client has left, for one, would
    interrupt the closing too: the server would go on with the statement, and keep its locks.
    """
    dialect = engine.dialect
    for name in ("do_close", "do_terminate"):
        setattr(dialect, name, _in_peace(getattr(dialect, name)))


def _in_peace(close: Callable[[Any], None]) -> Callable[[Any], None]:
    def close_shielded(connection: Any) -> None:
        if not in_greenlet():  # nothing can be awaited there, and so nothing be interrupted
            close(connection)
            return
        with CancelScope(shield=True):  # noqa: ASYNC100 - SQLAlchemy awaits without the word
            close(connection)

    return close_shielded
