"""Work: what is done with the file, each piece in one transaction of a lane's thread."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final, NamedTuple, TypeAlias

from ....channels.carrying.broker import Kept
from . import statements

__all__ = [
    "CARRIED_S", "LEASE_S", "MOST_AT_ONCE", "MOST_ROOMS", "Attending", "News", "Place", "Row",
    "Saying", "Stand", "enter", "forget", "leave", "news", "present", "publish", "read_history",
    "renew", "stand", "start", "start_anew",
]  # fmt: skip

CARRIED_S: Final = 60.0
"""How long a message is there to be found by a process that is busy."""
LEASE_S: Final = 30.0
"""How long those are there whom a process has told of, unless it tells again."""
MOST_AT_ONCE: Final = 500
MOST_FORGOTTEN: Final = 5_000
"""How many messages are deleted at once: others wait for it."""
MOST_ROOMS: Final = 10_000
"""Of how many rooms it is known how much of their history is gone; of others, together."""

Place: TypeAlias = tuple[str, str]
"""A room and who is in it."""
Row: TypeAlias = tuple[int, str, str, str]
"""The id of a message, its room, who does not get it, and its data."""


class Stand(NamedTuple):
    """What holds for all rooms.

    Args:
        epoch: Ids of another one mean nothing; empty where nobody has joined anything yet.
        floor: The latest id that may be gone of a room that nothing is known of.
        last_id: The latest.
    """

    epoch: str
    floor: int
    last_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What has come since an id.

    Args:
        stand: What holds now.
        rows: The messages, MOST_AT_ONCE at most.
        seen_id: The id up to which they are all that is there.
        is_missing: Whether others were deleted before they were seen.
    """

    stand: Stand
    rows: list[Row]
    seen_id: int
    is_missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What is published.

    Args:
        name: The room.
        data: The JSON; empty for a note that somebody came to the room, or went.
        exclude: The id of the connection that does not get it.
        kept: How much of the room's past is kept.
    """

    name: str
    data: str = ""
    exclude: str = ""
    kept: Kept | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attending:
    """Somebody who is in a room, by one process."""

    name: str
    key: str
    process: str
    shown: str = ""


def start(connection: Connection) -> None:
    """Give the file an epoch, unless it has one."""
    connection.execute(statements.START, {"epoch": secrets.token_hex(4)})


def start_anew(connection: Connection, before: str) -> None:
    """Give it another epoch, unless somebody has done so: ids will be given a second time."""
    connection.execute(statements.START_ANEW, {"epoch": secrets.token_hex(4), "before": before})


def stand(connection: Connection) -> Stand:
    """Return what holds for all rooms."""
    return Stand(*connection.execute(statements.STAND).fetchone())


def news(connection: Connection, after: int) -> News:
    """Return what has come since an id.

    Ids are given one after the other, and none is left out: one that is not there was deleted.
    """
    now = stand(connection)
    found = connection.execute(statements.SINCE, {"after": after, "most": MOST_AT_ONCE})
    rows: list[Row] = found.fetchall()
    seen_id = rows[-1][0] if len(rows) == MOST_AT_ONCE else now.last_id
    return News(stand=now, rows=rows, seen_id=seen_id, is_missing=len(rows) < seen_id - after)


def publish(connection: Connection, saying: Saying) -> int:
    """Write a message, and let a history that is full forget its oldest; return its id."""
    now, kept = time.time(), saying.kept
    kept_until = 0.0 if kept is None else now + kept.ttl_s
    row = {
        "name": saying.name,
        "exclude": saying.exclude,
        "data": saying.data,
        "kept_until": kept_until,
        "expires_at": max(kept_until, now + CARRIED_S),
    }
    number = connection.execute(statements.PUBLISH, row).lastrowid
    if kept is not None:
        _trim(connection, saying.name, kept.count, now)
    return int(number or 0)


def _trim(connection: Connection, name: str, count: int, now: float) -> None:
    found = connection.execute(statements.TRIMMED, {"name": name, "count": count}).fetchone()
    if found is not None:
        of_room = {"name": name, "id": found[0], "expires_at": now + CARRIED_S}
        connection.execute(statements.TRIM, of_room)
        connection.execute(statements.SUNK, {"name": name, "floor": found[0]})


def read_history(connection: Connection, name: str, after: int) -> tuple[Stand, list[Row], bool]:
    """Return what holds, what came to a room after an id, and whether that is all that came."""
    now, of_room = stand(connection), {"name": name, "after": after, "now": time.time()}
    rows: list[Row] = connection.execute(statements.READ, of_room).fetchall()
    (sunk,) = connection.execute(statements.FLOOR, of_room).fetchone()
    return now, rows, after >= max(now.floor, sunk)


def forget(connection: Connection) -> bool:
    """Delete what nobody asks for any more; return whether that was all of it."""
    now = time.time()
    gone = connection.execute(statements.EXPIRE, {"now": now, "most": MOST_FORGOTTEN}).fetchall()
    floors: dict[str, int] = {}
    for name, number, kept_until in gone:
        if kept_until:
            floors[name] = max(number, floors.get(name, 0))
    sunk = [{"name": name, "floor": floor} for name, floor in floors.items()]
    connection.executemany(statements.SUNK, sunk)
    connection.execute(statements.FORGET_ATTENDANCE, _living(now))
    forgotten = connection.execute(statements.FORGET_ROOMS, {"most": MOST_ROOMS}).fetchall()
    if forgotten:
        start(connection)
        connection.execute(statements.SINK_ALL, {"floor": max(floor for (floor,) in forgotten)})
    return len(gone) < MOST_FORGOTTEN


# --- who is there ---


def enter(connection: Connection, who: Attending) -> None:
    """Let somebody be in a room, and tell of it."""
    connection.execute(statements.ENTER, _attendance(who))
    publish(connection, Saying(name=who.name))


def leave(connection: Connection, who: Attending) -> None:
    """Let them be in it no more, and tell of it."""
    connection.execute(statements.LEAVE, _attendance(who))
    publish(connection, Saying(name=who.name))


def present(connection: Connection, name: str) -> dict[str, str]:
    """Return who is in a room, and what they show."""
    found = connection.execute(statements.PRESENT, {"name": name, **_living(time.time())})
    return dict(found.fetchall())


def renew(connection: Connection, process: str, here: Mapping[Place, str]) -> None:
    """Let those be there, and nobody else, by a process."""
    known: Collection[Place] = connection.execute(statements.ALIVE, {"process": process}).fetchall()
    gone = [Attending(name=name, key=key, process=process) for name, key in {*known} - here.keys()]
    connection.executemany(statements.LEAVE, map(_attendance, gone))
    living = [
        Attending(name=name, key=key, process=process, shown=shown)
        for (name, key), shown in here.items()
    ]
    connection.executemany(statements.ENTER, map(_attendance, living))


def _attendance(who: Attending) -> dict[str, object]:
    return {
        "name": who.name,
        "key": who.key,
        "process": who.process,
        "shown": who.shown,
        "until": time.time() + LEASE_S,
    }


def _living(now: float) -> dict[str, float]:
    """Return the bounds of what living processes have written, and others whose clock went on."""
    return {"now": now, "latest": now + 2 * LEASE_S}
