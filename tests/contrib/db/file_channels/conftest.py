"""Brokers in a SQLite file, each as a process has one."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

import fastforge.contrib.db.file_channels.models  # noqa: F401 - its tables
from fastforge.channels.carrying.broker import Envelope, Kept
from fastforge.contrib.db import Model
from fastforge.contrib.db.file_channels.broker import FileBroker
from fastforge.contrib.db.file_channels.file import File


class Process:
    """What one process has: a broker, and what has come in."""

    def __init__(self, path: Path) -> None:
        self.broker = FileBroker(File(path))
        self.got: list[Envelope] = []
        self.missed = 0
        self.changed: list[str] = []
        self.broker.attach(self.got.append, self._missed, self.changed.append)

    def _missed(self) -> None:
        self.missed += 1

    @property
    def texts(self) -> list[bytes]:
        return [each.data for each in self.got]

    async def publish(self, text: bytes, room: str = "a", kept: Kept | None = None) -> int:
        return await self.broker.publish(room, text, exclude="", kept=kept)


@asynccontextmanager
async def process(path: Path) -> AsyncIterator[Process]:
    """A process."""
    found = Process(path)
    try:
        yield found
    finally:
        await found.broker.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that has the tables."""
    return migrated(tmp_path / "db.sqlite3")


def migrated(path: Path) -> Path:
    """Make the tables in a file, and return it."""
    engine = sa.create_engine(f"sqlite:///{path}")
    tables = [
        table for name, table in Model.metadata.tables.items() if name.startswith("file_channels_")
    ]
    Model.metadata.create_all(engine, tables)
    engine.dispose()
    run_sql(path, "PRAGMA journal_mode = WAL")
    return path


def run_sql(path: Path, statement: str) -> None:
    """Do something with the file past every process."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()
