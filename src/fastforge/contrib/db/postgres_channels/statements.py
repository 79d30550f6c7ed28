"""Statements: what is asked of PostgreSQL, each one a transaction and a round trip.

An id is drawn from the sequence of the table of messages while a lock is held, which ends with the
transaction. NOTIFY is heard in the order in which transactions end; without the lock a message
could come in after one with a larger id, and be taken for known. One lock for all rooms holds up
nobody for longer than one for each would: the server takes such a lock of its own for every
transaction that notifies, in all of the database, until it is written.

An id is also a time, in microseconds: whenever the sequence has fallen behind the clock it is set
forward, and it never goes back. So it says how long ago it was given, and nothing has to be kept
of a room in which nobody speaks.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from .models import Attendance, Message, Process

__all__ = [
    "BEHIND_US", "ENTER", "FETCH", "FORGET_MESSAGES", "FORGET_PROCESSES", "KEEP", "LEAVE",
    "PRESENT", "PUBLISH", "READ", "RENEW", "RESTORE", "STAND", "TELL",
]  # fmt: skip

MESSAGE: Final = Message.__tablename__
PROCESS: Final = Process.__tablename__
ATTENDANCE: Final = Attendance.__tablename__

BEHIND_US: Final = 100_000
"""How far the sequence may be behind the clock: setting it costs more than drawing from it."""
_AT_ONCE: Final = 1000

LOCKS: Final = int.from_bytes(b"channels") & ~0xFFFF_FFFF
"""Where the numbers of our locks begin; what follows is the table's."""
_DRAWN: Final = f"""
    locked AS MATERIALIZED (
        SELECT pg_advisory_xact_lock(
            {LOCKS} + CAST(CAST(CAST('{MESSAGE}' AS regclass) AS oid) AS bigint)
        )
    ),
    drawn AS MATERIALIZED (
        SELECT
            nextval('{MESSAGE}_id_seq') AS id,
            CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) AS now
        FROM locked
    ),
    numbered AS MATERIALIZED (
        SELECT
            CASE WHEN now - id > {BEHIND_US} THEN setval('{MESSAGE}_id_seq', now) ELSE id END AS id
        FROM drawn
    )
"""
_TELL: Final = """
    SELECT id, pg_notify(CAST(:channel AS text), CAST(:kind AS text) || id || CAST(:rest AS text))
    FROM numbered
"""

PUBLISH: Final = sa.text(f"WITH {_DRAWN} {_TELL}")
"""Tell of a message, and of its id, which comes between what is given before and behind it."""

# One more than the room keeps stays: whoever knows it, or a later one, has missed nothing else.
# A statement sees no row that was written while it waited, and leaves it to the next one.
KEEP: Final = sa.text(f"""
    WITH {_DRAWN},
    kept AS (
        INSERT INTO {MESSAGE} (id, name, exclude, data, keeps, expires_at)
        SELECT
            id, CAST(:name AS text), CAST(:exclude AS text), CAST(:data AS text),
            CAST(:keeps AS integer),
            clock_timestamp() + CAST(:ttl_s AS double precision) * interval '1 second'
        FROM numbered
    ),
    trimmed AS (
        DELETE FROM {MESSAGE}
        WHERE name = CAST(:name AS text) AND keeps > 0 AND id <= (
            SELECT id FROM {MESSAGE}
            WHERE name = CAST(:name AS text) AND keeps > 0 AND CAST(:keeps AS integer) > 0
            ORDER BY id DESC OFFSET CAST(:keeps AS integer) LIMIT 1
        )
    )
    {_TELL}
""")
"""The same, and write a row."""

TELL: Final = sa.text("SELECT pg_notify(CAST(:channel AS text), CAST(:payload AS text))")
"""Tell of something that is no message."""

STAND: Final = sa.text(f"""
    WITH {_DRAWN}
    SELECT
        id,
        to_hex(CAST(CAST(CAST('{MESSAGE}' AS regclass) AS oid) AS bigint))
        || '.' || to_hex(CAST(pg_relation_filenode('{MESSAGE}') AS bigint)) AS epoch
    FROM numbered
""")
"""Draw an id that no message has: those before it are there, those to come have larger ones.

The epoch is the table, and the file in which it is: emptied, it is another one.
"""

READ: Final = sa.text(f"""
    SELECT id, exclude, data, keeps FROM {MESSAGE}
    WHERE name = CAST(:name AS text) AND keeps > 0 AND id <= CAST(:stand AS bigint)
        AND expires_at > clock_timestamp()
    ORDER BY id DESC LIMIT CAST(:most AS integer)
""")
"""Return what is kept of a room, the latest first."""

FETCH: Final = sa.text(f"SELECT data FROM {MESSAGE} WHERE id = CAST(:id AS bigint)")
"""Return a message that was too large to be told."""

FORGET_MESSAGES: Final = sa.text(f"""
    DELETE FROM {MESSAGE} WHERE id IN (
        SELECT id FROM {MESSAGE} WHERE expires_at < clock_timestamp()
        ORDER BY expires_at LIMIT {_AT_ONCE} FOR UPDATE SKIP LOCKED
    )
    RETURNING id
""")
"""Delete some rows that nobody asks for any more, and return them."""

# --- who is there ---

_ALIVE: Final = f"""
    alive AS (
        INSERT INTO {PROCESS} (id, until)
        VALUES (
            CAST(:process AS text),
            clock_timestamp() + CAST(:lease_s AS double precision) * interval '1 second'
        )
        ON CONFLICT (id) DO UPDATE SET until = excluded.until
        RETURNING xmax = 0 AS is_new
    )
"""
_CHANGED: Final = "pg_notify(CAST(:channel AS text), CAST(:changed AS text))"

ENTER: Final = sa.text(f"""
    WITH {_ALIVE},
    entered AS (
        INSERT INTO {ATTENDANCE} (name, process_id, key, shown)
        VALUES (
            CAST(:name AS text), CAST(:process AS text), CAST(:key AS text), CAST(:shown AS text)
        )
        ON CONFLICT (name, process_id, key) DO UPDATE SET shown = excluded.shown
    )
    SELECT is_new, {_CHANGED} FROM alive
""")
"""Let somebody be in a room; return whether the process was not known any more."""

LEAVE: Final = sa.text(f"""
    WITH gone AS (
        DELETE FROM {ATTENDANCE}
        WHERE name = CAST(:name AS text) AND process_id = CAST(:process AS text)
            AND key = CAST(:key AS text)
    )
    SELECT {_CHANGED}
""")
"""Let somebody be in a room no more."""

PRESENT: Final = sa.text(f"""
    SELECT attendance.key, attendance.shown
    FROM {ATTENDANCE} AS attendance
    JOIN {PROCESS} AS process ON process.id = attendance.process_id
    WHERE attendance.name = CAST(:name AS text) AND process.until > clock_timestamp()
""")
"""Return who is in a room, by processes that are alive."""

RENEW: Final = sa.text(f"WITH {_ALIVE} SELECT is_new FROM alive")
"""Say that a process is alive; return whether it was not known any more."""

RESTORE: Final = sa.text(f"""
    WITH here AS (
        SELECT * FROM unnest(
            CAST(:names AS text[]), CAST(:keys AS text[]), CAST(:shown AS text[])
        ) AS each (name, key, shown)
    ),
    gone AS (
        DELETE FROM {ATTENDANCE}
        WHERE process_id = CAST(:process AS text)
            AND (name, key) NOT IN (SELECT name, key FROM here)
    )
    INSERT INTO {ATTENDANCE} (name, process_id, key, shown)
    SELECT name, CAST(:process AS text), key, shown FROM here
    ON CONFLICT (name, process_id, key) DO UPDATE SET shown = excluded.shown
""")
"""Write who is here by a process, and nobody else."""

FORGET_PROCESSES: Final = sa.text(
    f"DELETE FROM {PROCESS} WHERE until < clock_timestamp() - interval '1 minute'"
)
"""Delete those that have ended without a word, and who was there by them."""
