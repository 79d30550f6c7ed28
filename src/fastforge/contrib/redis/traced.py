"""Traced: a client whose commands are spans, by their names alone: arguments are what users are."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Any, Final

from ...observability.tracing import Span, is_traced, span
from .library import Client, Pipeline

__all__ = ["TracedClient"]

_NAME: Final = re.compile(r"[A-Z][A-Z0-9_.]*(?: [A-Z][A-Z0-9_]*)?")
_UNKNOWN: Final = "COMMAND"


class TracedClient(Client):
    """redis-py's client; where nothing is recorded its commands cost a look at a variable."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command."""
        send: Any = super().execute_command
        if not is_traced():
            return await send(*args, **options)
        with _command_span(self, _name_of(args)):
            return await send(*args, **options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Return a pipeline: one span for all of its commands."""
        pipeline = super().pipeline(transaction, shard_hint)
        execute = pipeline.execute

        async def traced(*arguments: Any, **options: Any) -> Any:
            size = len(pipeline.command_stack)
            if not size or not is_traced():
                return await execute(*arguments, **options)
            word = "MULTI" if pipeline.is_transaction else "PIPELINE"
            with _command_span(self, word, size=size):
                return await execute(*arguments, **options)

        # On the object: what makes one takes other arguments from version to version.
        pipeline.execute = traced  # type: ignore[method-assign]
        return pipeline


def _name_of(args: tuple[Any, ...]) -> str:
    first = args[0] if args else ""
    name = (first.decode("latin-1") if isinstance(first, bytes) else str(first)).upper()
    return name if _NAME.fullmatch(name) else _UNKNOWN


def _command_span(client: Client, name: str, *, size: int = 0) -> AbstractContextManager[Span]:
    options = client.connection_pool.connection_kwargs
    known: dict[str, str | int] = {
        "db.system.name": "redis",
        "db.operation.name": name,
        "db.namespace": str(options.get("db") or 0),
        "server.address": str(options.get("host") or options.get("path") or "localhost"),
    }
    known |= {"server.port": int(options["port"])} if options.get("port") else {}
    known |= {"db.operation.batch.size": size} if size else {}
    return span(name, kind="client", attributes=known)
