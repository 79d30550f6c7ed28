"""Breaking: new connections to a database that is away fail at once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from ....lifecycle import Breaker
from ..faults.translation import is_full

__all__ = ["break_connects"]


def break_connects(engine: Engine, breaker: Breaker) -> None:
    """Let a breaker stand before the new connections of an engine.

    A request that needs one while the server is silent would else wait for `connect_timeout_s`,
    and with it all who wait for a place in the pool. Connections that are there are used as ever.

    Args:
        engine: The engine.
        breaker: The breaker. A server that has no connection left is not away.
    """
    dialect = engine.dialect
    connect_driver = dialect.connect

    def connect(*arguments: Any, **options: Any) -> Any:
        breaker.check()
        try:
            connection = connect_driver(*arguments, **options)
        except Exception as error:
            if not is_full(error):
                breaker.failed(error)
            raise
        if breaker.is_troubled:
            breaker.succeeded()
        return connection

    dialect.connect = connect  # type: ignore[method-assign]
