"""The setting CHANNELS."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from ..conf import Section

__all__ = ["Channels"]

_PATH: Final = re.compile(r"/|(?:/[\w.-]+)+", re.ASCII)
_PREFIX: Final = re.compile(r"[\w.-]*", re.ASCII)


def _usable_path(path: str) -> str:
    if path.endswith("/") and _PATH.fullmatch(path.rstrip("/")):
        # Clients name the endpoint without one, and a handshake follows no redirect.
        raise ValueError(f'it ends with a slash; write "{path.rstrip("/")}"')
    if not _PATH.fullmatch(path):
        raise ValueError('it is no path of letters, digits, _, . and -; write "/channels"')
    return path


def _usable_prefix(prefix: str) -> str:
    if not _PREFIX.fullmatch(prefix):
        raise ValueError('it has letters, digits, _, . and - alone; write "shop-staging"')
    return prefix


class Channels(Section, setting="CHANNELS"):
    """How sockets join channels, and how much one of them may take.

    ```python
    CHANNELS = Channels(path="/live", per_user=5)
    ```

    Attributes:
        path: Where the one WebSocket endpoint of the project is; `/sse` behind it has the channels
            as server-sent events. It begins with a slash and does not end with one.
        backend: What carries messages between processes: `redis`, `postgres` or `sqlite`; `memory`
            is for one process. None: that of the first installed app that fits the database, else
            `memory`; in the environment `test` always `memory`.
        prefix: What keys and names begin with where others share the server. Empty: the name of
            the settings' package.
        max_connections: How many sockets one process holds; more are refused with 503.
        per_user: How many sockets a user may have in one process.
        max_joins: How many channels a socket may be in.
        join_timeout_s: How long it may take to find out who opens a socket, and then how long that
            may be open without having joined anything, in seconds.
        queue_size: How many messages wait for a client that does not read.
        queue_bytes: What they take together at most.
        replay_bytes: How much a client that comes back is given of what it has missed in one
            channel; more is told as `recovered: false`, and the client asks for what there is.
        slow_consumer_timeout_s: How long a client may be behind before it is let go, in seconds.
        max_message_bytes: The size of a message, from a client or to them.
        messages_per_s: How many messages a client may send on average, in a second.
        messages_burst: How many of them at once.
        inbox_size: How many messages of a client wait behind others for handlers.
        deaf_limit_s: How long a process may hear nothing of what others publish, in seconds; then
            `/readyz` fails, so that clients go to another one.
    """

    path: Annotated[str, AfterValidator(_usable_path)] = "/channels"
    backend: str | None = None
    prefix: Annotated[str, AfterValidator(_usable_prefix)] = ""
    max_connections: int = Field(default=10_000, ge=1)
    per_user: int = Field(default=20, ge=1)
    max_joins: int = Field(default=128, ge=1)
    join_timeout_s: float = Field(default=10, gt=0)
    queue_size: int = Field(default=256, ge=1)
    queue_bytes: int = Field(default=1_048_576, ge=1024)
    replay_bytes: int = Field(default=4_194_304, ge=1024)
    slow_consumer_timeout_s: float = Field(default=10, gt=0)
    max_message_bytes: int = Field(default=65_536, ge=1024)
    messages_per_s: float = Field(default=20, gt=0)
    messages_burst: int = Field(default=40, ge=1)
    inbox_size: int = Field(default=32, ge=1)
    deaf_limit_s: float = Field(default=30, gt=0)
