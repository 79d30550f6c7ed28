"""Statements: what is asked of the file. Times are seconds since 1970, as the caller has them."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ALIVE", "ENTER", "EXPIRE", "FLOOR", "FORGET_ATTENDANCE", "FORGET_ROOMS", "LEAVE", "PRESENT",
    "PUBLISH", "READ", "SINCE", "SINK_ALL", "STAND", "START", "START_ANEW", "SUNK", "TRIM",
    "TRIMMED",
]  # fmt: skip

MESSAGE: Final = "file_channels_message"
ROOM: Final = "file_channels_room"
STANDING: Final = "file_channels_standing"
ATTENDANCE: Final = "file_channels_attendance"

START: Final = f"INSERT OR IGNORE INTO {STANDING} (id, epoch, floor) VALUES (1, :epoch, 0)"
"""Give the file an epoch, unless it has one."""
START_ANEW: Final = f"UPDATE {STANDING} SET epoch = :epoch WHERE epoch = :before"
"""Give it another one, unless somebody else has."""

_LAST_ID: Final = f"coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{MESSAGE}'), 0)"
STAND: Final = f"""
    SELECT coalesce(max(epoch), ''), coalesce(max(floor), 0), {_LAST_ID} FROM {STANDING}
"""
"""Return the epoch, empty where there is none, the floor of unknown rooms, and the latest id."""

PUBLISH: Final = f"""
    INSERT INTO {MESSAGE} (name, exclude, data, kept_until, expires_at)
    VALUES (:name, :exclude, :data, :kept_until, :expires_at)
"""
SINCE: Final = f"""
    SELECT id, name, exclude, data FROM {MESSAGE} WHERE id > :after ORDER BY id LIMIT :most
"""

# --- the history: `kept_until > 0`, as its index says ---

TRIMMED: Final = f"""
    SELECT id FROM {MESSAGE} WHERE name = :name AND kept_until > 0
    ORDER BY id DESC LIMIT 1 OFFSET :count
"""
"""Return the latest message that a room has no place for."""
TRIM: Final = f"""
    UPDATE {MESSAGE} SET kept_until = 0, expires_at = min(expires_at, :expires_at)
    WHERE name = :name AND id <= :id AND kept_until > 0
"""
"""Take messages out of a history: other processes may have to read them yet."""
SUNK: Final = f"""
    INSERT INTO {ROOM} (name, floor) VALUES (:name, :floor)
    ON CONFLICT (name) DO UPDATE SET floor = max(floor, excluded.floor)
"""
"""Note how much of a history is gone."""
READ: Final = f"""
    SELECT id, name, exclude, data FROM {MESSAGE}
    WHERE name = :name AND id > :after AND kept_until > 0 AND kept_until > :now ORDER BY id
"""
FLOOR: Final = f"""
    SELECT max(
        coalesce((SELECT floor FROM {ROOM} WHERE name = :name), 0),
        coalesce((
            SELECT max(id) FROM {MESSAGE}
            WHERE name = :name AND kept_until > 0 AND kept_until <= :now
        ), 0)
    )
"""
"""Return the latest message of a room that is in its history no more."""

# --- what nobody asks for any more ---

EXPIRE: Final = f"""
    DELETE FROM {MESSAGE} WHERE id IN (
        SELECT id FROM {MESSAGE} WHERE expires_at < :now ORDER BY expires_at LIMIT :most
    ) RETURNING name, id, kept_until
"""
FORGET_ROOMS: Final = f"""
    DELETE FROM {ROOM} WHERE floor <= (
        SELECT floor FROM {ROOM} ORDER BY floor DESC LIMIT 1 OFFSET :most
    ) RETURNING floor
"""
SINK_ALL: Final = f"UPDATE {STANDING} SET floor = max(floor, :floor)"

# --- who is there: `until` lies between now and a lease or two, also where a clock was set back ---

ENTER: Final = f"""
    INSERT INTO {ATTENDANCE} (name, key, process, shown, until)
    VALUES (:name, :key, :process, :shown, :until)
    ON CONFLICT (name, key, process)
    DO UPDATE SET shown = excluded.shown, until = excluded.until
"""
LEAVE: Final = f"""
    DELETE FROM {ATTENDANCE} WHERE name = :name AND key = :key AND process = :process
"""
PRESENT: Final = f"""
    SELECT key, shown FROM {ATTENDANCE} WHERE name = :name AND until BETWEEN :now AND :latest
"""
ALIVE: Final = f"SELECT name, key FROM {ATTENDANCE} WHERE process = :process"
FORGET_ATTENDANCE: Final = f"DELETE FROM {ATTENDANCE} WHERE until NOT BETWEEN :now AND :latest"
