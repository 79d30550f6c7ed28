"""What does not fit between a database and its settings, where no server of ours is so."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fastforge.contrib.db import Database
from fastforge.contrib.db.inspection.file import FileFacts, place_problem
from fastforge.contrib.db.inspection.findings import file_problems, limit_problems
from fastforge.contrib.db.inspection.inspecting import Inspected
from fastforge.contrib.db.inspection.server import Limited, ServerFacts

LIMITED = Limited(name="the server", most=100, others=0, reason="max_connections 100")
FACTS = ServerFacts(
    version="15.1",
    identity="one",
    is_pooled=False,
    is_read_only=False,
    limits_ms={
        "statement_timeout": (15_000, "client"),
        "lock_timeout": (5_000, "client"),
        "idle_in_transaction_session_timeout": (30_000, "client"),
        "client_connection_check_interval": (2_000, "client"),
    },
    server=LIMITED,
    role=LIMITED,
    database=LIMITED,
)


def limits(facts: ServerFacts, **options: Any) -> list[str]:
    config = Database(url="postgresql+asyncpg://u@h/n", **options)
    return [
        str(each) for each in limit_problems(Inspected(name="default", config=config, server=facts))
    ]


def test_limits_that_hold_are_no_message() -> None:
    assert limits(FACTS) == []


def test_a_limit_that_somebody_else_has_set_is_told_with_who() -> None:
    changed = {**FACTS.limits_ms, "statement_timeout": (0, "user")}
    (message,) = limits(replace(FACTS, limits_ms=changed))
    assert message == (
        "warning [db.W013] default: statement_timeout is off on the server, by user, and not 15 s"
        " as in the settings; something between drops what is said at the start of a connection:"
        " set it for the user, ALTER ROLE ... SET statement_timeout = '15000ms'"
    )


def test_a_server_that_is_too_old_for_a_limit_is_told_of() -> None:
    known = {name: each for name, each in FACTS.limits_ms.items() if "client_" not in name}
    old = replace(FACTS, version="13.9", limits_ms=known)
    (message,) = limits(old)
    assert "PostgreSQL 13.9 does not know client_connection_check_interval" in message
    assert limits(old, client_check_interval_s=0) == []


def test_behind_a_pooler_the_client_that_is_watched_is_the_pooler() -> None:
    changed = {**FACTS.limits_ms, "client_connection_check_interval": (0, "default")}
    assert limits(replace(FACTS, limits_ms=changed), pooler="transaction") == []


def on_file(**facts: Any) -> list[str]:
    config = Database(url="sqlite+aiosqlite:///x")
    known = {"version": "3.40.1", "journal_mode": "wal", "foreign_keys": True}
    file = FileFacts(**{**known, **facts})
    found = file_problems(Inspected(name="default", config=config, file=file, path=Path(__file__)))
    return [str(message) for message in found]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the folder for temporary files be one that these tests are not in."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.usefixtures("elsewhere")
def test_what_a_file_should_have_and_has_not() -> None:
    assert on_file() == []
    (journal,) = on_file(journal_mode="delete")
    assert "[db.W017]" in journal and "its journal mode is delete and not wal" in journal
    (keys,) = on_file(foreign_keys=False)
    assert "error [db.E074]" in keys and "its foreign keys are not kept" in keys


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("kind", "told"),
    [("nfs4", "(nfs4)"), ("fuse.sshfs", "(fuse.sshfs)"), ("ext4", ""), ("overlay", "")],
)
def test_the_file_system_of_a_file(tmp_path: Path, kind: str, told: str) -> None:
    mounts = tmp_path / "mounts"
    folder = Path(__file__).parent
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {folder} {kind} rw 0 0\n")
    assert told in place_problem(Path(__file__), mounts=mounts)
    assert bool(place_problem(Path(__file__), mounts=mounts)) is bool(told)


@pytest.mark.usefixtures("elsewhere")
def test_a_system_that_has_no_list_of_its_file_systems(tmp_path: Path) -> None:
    assert place_problem(Path(__file__), mounts=tmp_path / "nothing") == ""
