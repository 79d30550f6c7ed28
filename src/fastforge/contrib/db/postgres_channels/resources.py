"""The resource `postgres_channels`: what carries messages by the project's database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final

from ....channels.carrying.broker import backend_name
from ....channels.carrying.deafness import is_deaf
from ....channels.settings import Channels
from ....lifecycle import Breaker, current_container, provide, resource, watched_breaker
from ..faults.unavailable import unavailable
from ..opening import DEFAULT, engines_of
from ..resources import DatabaseConnection, breaker_name, database
from ..settings import Database
from .asking import WAIT_S
from .broker import CONNECTIONS, PostgresBroker
from .fitness import NAME, refusal

__all__ = ["config_for", "postgres_channels"]

FORMAT: Final = 1
"""How messages are told and kept: with another number nothing of before is heard."""
FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 1.0
STATEMENT_S: Final = 1.5
"""The server gives up before its client does, so that what was refused is not done later."""
IDLE_PING_S: Final = 1.0
"""After a restart of the server none is used that was there before it."""


@resource
async def postgres_channels(
    database: Annotated[DatabaseConnection, provide(database)],
) -> AsyncIterator[PostgresBroker | None]:
    """Give what carries messages of channels; None where the database cannot, and is not asked to.

    Nothing is connected before somebody publishes or joins something.

    Raises:
        StartError: CHANNELS.backend says `postgres`, and the database cannot.
    """
    container = current_container()
    settings = container.settings
    problem, is_chosen = refusal(settings), backend_name(container) == NAME
    if problem is not None and is_chosen and container.registry.values("channels"):
        raise problem
    if problem is not None:
        yield None
        return
    config = config_for(database.config)
    engines = engines_of(settings, config)
    breaker = Breaker(
        "channels",
        opens_after=1,
        first_pause_s=FIRST_PAUSE_S,
        longest_pause_s=LONGEST_PAUSE_S,
        describe=lambda error: str(unavailable(config, error)),
        is_needed=lambda: is_deaf(
            container,
            broker.hearing,
            service=breaker_name(DEFAULT),
            is_required=database.config.required,
        ),
    )
    if is_chosen and container.registry.values("channels"):
        breaker = watched_breaker(breaker)
    name = settings.section(Channels).prefix or settings.module.partition(".")[0]
    broker = PostgresBroker(engines.engine, prefix=f"{name}:channels{FORMAT}:", breaker=breaker)
    try:
        yield broker
    finally:
        await broker.close()
        await engines.engine.dispose()


def config_for(config: Database) -> Database:
    """Return how channels connect to a database: past a pooler, and without patience."""
    return config.direct.model_copy(
        update={
            "pool_size": CONNECTIONS,
            "max_overflow": 0,
            "pool_timeout_s": WAIT_S,
            "connect_timeout_s": min(WAIT_S, config.connect_timeout_s),
            "lock_timeout_s": STATEMENT_S,
            "statement_timeout_s": STATEMENT_S,
            "idle_ping_s": IDLE_PING_S,
            "sql_comment": False,  # each has one text, whatever route it is for
            "repeated_queries": 0,
        }
    )
