"""Arguments: what a driver is told when it connects, so that no limit costs a round trip."""

from __future__ import annotations

import math
import os
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import make_url
from sqlalchemy.engine import URL

from ..settings import Database

__all__ = [
    "CLIENT_CHECK",
    "connect_arguments",
    "driver_url",
    "server_limits",
    "ssl_mode",
    "start_up_arguments",
]

FOREVER_S: Final = 86_400.0
CLIENT_CHECK: Final = "client_connection_check_interval"
LOCAL_HOSTS: Final = ("", "localhost", "127.0.0.1", "::1")
STATEMENTS: Final = "prepared_statement_cache_size"
KEPT_STATEMENTS: Final = 500
"""How many prepared statements a connection keeps where each route has its own, by the comment.

Both drivers keep 100 by themselves. Whoever has more in use prepares each anew, every time.
"""
SSL_OPTIONS: Final = ("ssl", "sslmode")
"""What a URL says of encryption, in the words of either driver."""
SSL_MODES: Final = MappingProxyType({"true": "require", "false": "disable"})
"""What is not libpq's word, in libpq's words."""
STRICTER_MODES: Final = ("verify-ca", "verify-full")


def connect_arguments(database: Database) -> dict[str, Any]:
    """Return what the driver is told at each connection, without what the server is."""
    if database.is_sqlite:
        return {"timeout": database.lock_timeout_s or FOREVER_S}
    if is_asyncpg(database):
        arguments: dict[str, Any] = {"timeout": database.connect_timeout_s}
        if database.pooler:
            # What one transaction has prepared is not there in the next, or it is another's.
            arguments |= {
                "statement_cache_size": 0,
                "prepared_statement_cache_size": 0,
                "prepared_statement_name_func": _name_of_statement,
            }
        elif database.sql_comment and STATEMENTS not in make_url(database.url).query:
            arguments[STATEMENTS] = KEPT_STATEMENTS
    else:
        from .hurried import connection_of

        arguments = {
            # libpq counts whole seconds and reads less than 2 as 2.
            "connect_timeout": max(2, math.ceil(database.connect_timeout_s)),
            "async_creator_fn": connection_of(
                kept_statements=KEPT_STATEMENTS if database.sql_comment else None
            ),
        }
        if database.pooler:
            arguments["prepare_threshold"] = None
    mode = ssl_mode(database)
    return arguments | ({"ssl" if is_asyncpg(database) else "sslmode": mode} if mode else {})


def driver_url(database: Database) -> URL:
    """Return the URL without what it says of encryption: the drivers call it differently."""
    return make_url(database.url).difference_update_query(SSL_OPTIONS)


def is_asyncpg(database: Database) -> bool:
    """Return whether the URL names this driver."""
    return database.scheme.endswith("asyncpg")


def _name_of_statement() -> str:
    return f"fastforge_{uuid.uuid4().hex}"


def ssl_mode(database: Database) -> str | None:
    """Return whether a connection is encrypted, in libpq's words; None: as the driver likes.

    What the settings say holds, then what the URL says. Where neither says anything, a connection
    that leaves this host has to be encrypted; `PGSSLMODE` may want more than that, and not less.
    """
    if database.ssl is not None:
        return database.ssl
    query = parse_qs(urlsplit(database.url).query)
    for option in SSL_OPTIONS:
        if option in query:
            mode = query[option][-1].lower()
            return SSL_MODES.get(mode, mode)
    if _is_local(database):
        return None
    mode = os.environ.get("PGSSLMODE", "")
    return mode if mode in STRICTER_MODES else "require"


def _is_local(database: Database) -> bool:
    url = make_url(database.url)
    given = url.query.get("host", ())  # a socket's folder, or hosts that may have a port each
    hosts = [given] if isinstance(given, str) else [*given]
    # A URL without one leads where both drivers take it from.
    hosts = hosts or [url.host or os.environ.get("PGHOST", "")]
    return all(_names_this_host(part) for host in hosts for part in host.split(","))


def _names_this_host(host: str) -> bool:
    name, _, port = host.rpartition(":")
    return host.startswith("/") or host in LOCAL_HOSTS or (port.isdigit() and name in LOCAL_HOSTS)


def server_limits(database: Database) -> dict[str, str]:
    """Return the server's own settings for a connection, with the values that it reads."""
    if database.is_sqlite:
        return {}
    limits_s = {
        "statement_timeout": database.statement_timeout_s,
        "lock_timeout": database.lock_timeout_s,
        "idle_in_transaction_session_timeout": database.idle_in_transaction_timeout_s,
    }
    if database.client_check_interval_s:  # servers before 14 do not know it, not even as 0
        limits_s[CLIENT_CHECK] = database.client_check_interval_s
    limits = {name: str(math.ceil(limit_s * 1000)) for name, limit_s in limits_s.items()}
    return limits | ({"default_transaction_read_only": "on"} if database.read_only else {})


def start_up_arguments(
    database: Database, limits: Mapping[str, str], *, application_name: str
) -> dict[str, Any]:
    """Return what the driver is told of the server's settings at a new connection.

    Args:
        database: The section.
        limits: The server's settings and their values.
        application_name: What the server is to know the connection by.
    """
    if database.is_sqlite:
        return {}
    if is_asyncpg(database):
        return {"server_settings": {**limits, "application_name": application_name}}
    query = make_url(database.url).query
    given = query.get("options", ())  # ours would replace them
    options = [given] if isinstance(given, str) else [*given]
    options += [f"-c {name}={value}" for name, value in limits.items()]
    named = {} if "application_name" in query else {"application_name": application_name}
    return named | ({"options": " ".join(options)} if options else {})
