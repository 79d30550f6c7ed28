"""A server behind a proxy of the same host listens at a path."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fastforge.exceptions import StartError
from fastforge.server.paths import bind_path, remove_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "web.sock"


def test_whoever_may_enter_the_folder_may_connect(path: Path) -> None:
    with bind_path(path), socket.socket(socket.AF_UNIX) as client:
        assert path.stat().st_mode & 0o777 == 0o666
        client.connect(str(path))


def test_one_that_is_listened_on_stays_and_one_that_was_left_is_replaced(path: Path) -> None:
    with bind_path(path), pytest.raises(StartError, match=r"server\.E011\] unix:.*web.sock is in"):
        bind_path(path)
    assert path.is_socket()
    with bind_path(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_what_is_no_socket_is_not_touched(path: Path) -> None:
    path.write_text("a letter")
    with pytest.raises(StartError, match=r"server\.E010\] unix:.*web.sock is no socket"):
        bind_path(path)
    assert path.read_text() == "a letter"


def test_a_path_that_cannot_be_is_refused(path: Path) -> None:
    for wrong in (path / "deeper" / "web.sock", path.with_name("long" * 50)):
        with pytest.raises(
            StartError, match=r"server\.E009\] cannot listen on unix:.*; name a file"
        ):
            bind_path(wrong)


def test_a_socket_is_removed_unless_it_is_somebody_elses(path: Path) -> None:
    with bind_path(path):
        inode = path.stat().st_ino
        remove_path(path, inode + 1)
        assert path.is_socket()
        remove_path(path, inode)
        assert not path.exists()
    remove_path(path, inode)
