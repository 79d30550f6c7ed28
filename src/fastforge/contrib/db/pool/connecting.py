"""Connecting: how the new connections of an engine are made."""

from __future__ import annotations

import logging
import os
import re
from typing import Any, Final, cast

from sqlalchemy import Engine, event

from ....exceptions import SettingsError
from ..settings import Database
from .arguments import CLIENT_CHECK, start_up_arguments
from .forks import Origin
from .pings import limit_pings
from .watched import WatchedPool

__all__ = ["connect_as"]

logger = logging.getLogger("fastforge.contrib.db")

LONGEST_NAME: Final = 63
"""How much of an application's name PostgreSQL keeps."""
_UNKNOWN_ARGUMENT: Final = re.compile(r"unexpected keyword argument '(\w+)'")


def connect_as(
    engine: Engine, database: Database, *, application: str, limits: dict[str, str], origin: Origin
) -> None:
    """Tell the server of each new connection what it is, and what its limits are.

    A server that does not know `client_connection_check_interval`, as those before PostgreSQL 14,
    is told so once, and from then on without.

    Args:
        engine: The engine, which nobody uses yet.
        database: Its section.
        application: What the server is to know it by; the process's id is added.
        limits: The server's settings that hold for the connection.
        origin: Where the engine was made.
    """

    # Where the dialect calls the driver, and no listener of "do_connect": the first of those that
    # returns a connection is the last one that is asked, and others give tokens for passwords.
    dialect = engine.dialect
    connect_driver = dialect.connect

    def connect(*arguments: Any, **options: Any) -> Any:
        origin.warn_if_forked()
        try:
            return attempt(arguments, options)
        except Exception as error:
            if limits.get(CLIENT_CHECK) is None or CLIENT_CHECK not in str(error):
                raise
            del limits[CLIENT_CHECK]
            logger.warning("the server refuses %s; going on without it", CLIENT_CHECK)
            return attempt(arguments, options)

    def attempt(arguments: Any, options: dict[str, Any]) -> Any:
        suffix = f":{os.getpid()}"
        name = f"{application[: LONGEST_NAME - len(suffix)]}{suffix}"
        told = start_up_arguments(database, limits, application_name=name)
        try:
            return connect_driver(*arguments, **{**options, **told})
        except TypeError as error:
            unknown = _UNKNOWN_ARGUMENT.search(str(error))
            if unknown is None:
                raise
            raise SettingsError(
                f"the driver {database.driver.package} does not know the option {unknown[1]!r} of"
                " the URL",
                code="db.E041",
                hint="leave it out; what fastforge has a field for belongs into DATABASES",
            ) from error

    @event.listens_for(engine, "connect")
    def note(connection: Any, _record: Any) -> None:
        cast(WatchedPool, engine.pool).counts.connects += 1
        origin.connected(dialect.get_driver_connection(connection))

    dialect.connect = connect  # type: ignore[method-assign]
    if not database.is_sqlite:
        limit_pings(engine, database.connect_timeout_s)
