"""What the tests of mail share."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from .mailhost import MailHost, mail_host


@pytest.fixture
def host() -> Iterator[MailHost]:
    with mail_host() as host:
        yield host


@pytest.fixture
def nobodys_port() -> Iterator[int]:
    """A port where nobody listens: a server of the test may begin to, and no other will."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]
