"""Statements: what is asked of the file. Times are seconds since 1970, as the caller has them."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ALIVE", "BEGIN", "COMMIT", "ENTER", "EXPIRE", "EXPIRED", "FLOOR", "FORGET_ATTENDANCE",
    "FORGET_ROOMS", "LAST_ID", "LEAVE", "PRESENT", "PUBLISH", "READ", "ROLLBACK", "SINCE",
    "SINK_ALL", "STAND", "START", "SUNK", "TRIM", "TRIMMED", "VERSION",
]  # fmt: skip

MESSAGE: Final = "file_channels_message"
ROOM: Final = "file_channels_room"
STANDING: Final = "file_channels_standing"
ATTENDANCE: Final = "file_channels_attendance"

BEGIN: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"
VERSION: Final = "PRAGMA data_version"
"""Another number after each commit of another connection; it costs next to nothing."""

START: Final = f"INSERT OR IGNORE INTO {STANDING} (id, epoch, floor) VALUES (1, :epoch, 0)"
"""Give the file an epoch, unless it has one."""

LAST_ID: Final = f"coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{MESSAGE}'), 0)"
STAND: Final = f"SELECT epoch, floor, {LAST_ID} FROM {STANDING} WHERE id = 1"
"""Return the epoch, what holds for rooms that nothing is known of, and the latest id."""

PUBLISH: Final = f"""
    INSERT INTO {MESSAGE} (name, exclude, data, kept_until, expires_at)
    VALUES (:name, :exclude, :data, :kept_until, :expires_at) RETURNING id
"""
SINCE: Final = f"""
    SELECT id, name, exclude, data FROM {MESSAGE} WHERE id > :after ORDER BY id LIMIT :most
"""

# --- the history ---

TRIMMED: Final = f"""
    SELECT id FROM {MESSAGE} WHERE name = :name AND kept_until > 0
    ORDER BY id DESC LIMIT 1 OFFSET :count
"""
"""Return the latest message that a room has no place for."""
TRIM: Final = f"UPDATE {MESSAGE} SET kept_until = 0 WHERE name = :name AND id <= :id"
"""Take messages out of a history: other processes may have to read them yet."""
SUNK: Final = f"""
    INSERT INTO {ROOM} (name, floor) VALUES (:name, :floor)
    ON CONFLICT (name) DO UPDATE SET floor = max(floor, excluded.floor)
"""
"""Note how much of a history is gone."""
READ: Final = f"""
    SELECT id, name, exclude, data FROM {MESSAGE}
    WHERE name = :name AND id > :after AND kept_until > :now ORDER BY id
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

EXPIRED: Final = f"""
    SELECT name, max(id) FROM {MESSAGE} WHERE expires_at < :now AND kept_until > 0 GROUP BY name
"""
EXPIRE: Final = f"DELETE FROM {MESSAGE} WHERE expires_at < :now"
FORGET_ROOMS: Final = f"""
    DELETE FROM {ROOM} WHERE floor <= (
        SELECT floor FROM {ROOM} ORDER BY floor DESC LIMIT 1 OFFSET :most
    ) RETURNING floor
"""
SINK_ALL: Final = f"UPDATE {STANDING} SET floor = max(floor, :floor) WHERE id = 1"
FORGET_ATTENDANCE: Final = f"DELETE FROM {ATTENDANCE} WHERE until < :now"

# --- who is there ---

ENTER: Final = f"""
    INSERT INTO {ATTENDANCE} (name, key, process, shown, until)
    VALUES (:name, :key, :process, :shown, :until)
    ON CONFLICT (name, key, process)
    DO UPDATE SET shown = excluded.shown, until = excluded.until
"""
LEAVE: Final = f"""
    DELETE FROM {ATTENDANCE} WHERE name = :name AND key = :key AND process = :process
"""
PRESENT: Final = f"SELECT key, shown FROM {ATTENDANCE} WHERE name = :name AND until > :now"
ALIVE: Final = f"SELECT name, key FROM {ATTENDANCE} WHERE process = :process AND until > :now"
