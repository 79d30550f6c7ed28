"""Pooled: the server's limits where a pooler gives each transaction another connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Engine, event

__all__ = ["limit_each_transaction"]

OF_A_TRANSACTION: Final = {
    "client_connection_check_interval": "",  # the client is the pooler, which stays
    "default_transaction_read_only": "transaction_read_only",
}
"""What a setting is called for one transaction; empty where it means nothing there."""


def limit_each_transaction(engine: Engine, limits: Mapping[str, str]) -> None:
    """Set limits at the beginning of each transaction, for as long as it lasts.

    PgBouncer takes no settings when one connects, and one made later would be somebody else's.

    Args:
        engine: The engine, which nobody uses yet.
        limits: The server's settings and their values.
    """
    settings = {OF_A_TRANSACTION.get(name, name): value for name, value in limits.items()}
    settings.pop("", None)
    calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())

    @event.listens_for(engine, "begin")
    def limit(connection: Any) -> None:
        # With the driver's own cursor: it is no statement of the user's, to be counted or tagged.
        cursor = connection.connection.cursor()
        try:
            cursor.execute(f"SELECT {calls}")
        finally:
            cursor.close()
