"""Server: the Redis server, whose commands and Lua scripts raise BackendAway when it is away."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from ..redis.library import Client
from .errors import away_when_unreachable
from .wire import JOB_PREFIX, QUEUE_NAME, RESULT_PREFIX

__all__ = ["OWN_PREFIX", "Server"]

OWN_PREFIX: Final = "arq:fastforge:"
"""What all keys begin with that are not arq's own."""
FOLDER: Final = Path(__file__).parent / "scripts"

Name = Literal[
    "attend",
    "batch",
    "cancel",
    "claim",
    "discard",
    "enqueue",
    "forget",
    "page",
    "peek",
    "renew",
    "settle",
    "stats",
    "strays",
]


@cache
def _source(name: str) -> str:
    names = {"JOB": JOB_PREFIX, "RESULT": RESULT_PREFIX, "QUEUE": QUEUE_NAME, "OWN": OWN_PREFIX}
    head = "\n".join(f"local {word} = '{value}'" for word, value in names.items())
    files = (FOLDER / "common.lua", FOLDER / f"{name}.lua")
    return "\n".join((head, *(file.read_text(encoding="utf-8") for file in files)))


class Server:
    """Runs the scripts beside this module. What each takes and returns stands at its beginning.

    The server knows them by their hash. Where it does not any more, after a restart, they are
    sent again.

    Args:
        client: A client; where jobs are claimed, one whose commands are not sent twice.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._scripts: dict[str, Any] = {}

    async def run(self, name: Name, *args: Any) -> Any:
        """Run a script.

        Raises:
            BackendAway: Redis cannot be reached. Nobody knows whether it has run.
        """
        script = self._scripts.get(name)
        if script is None:
            script = self._scripts[name] = self._client.register_script(_source(name))
        with away_when_unreachable():
            return await script(args=args)

    async def command(self, *args: Any) -> Any:
        """Run a command.

        Raises:
            BackendAway: Redis cannot be reached. Nobody knows whether it has run.
        """
        with away_when_unreachable():
            return await self._client.execute_command(*args)  # type: ignore[no-untyped-call]
