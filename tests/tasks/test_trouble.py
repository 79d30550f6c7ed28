"""What keeps failing is told once when it begins and once when it is over."""

from __future__ import annotations

import logging

import pytest

from fastforge.tasks import BackendAway, BackendUnready
from fastforge.tasks.trouble import Trouble

AWAY = BackendAway("the host is down", code="jobs.E001", hint="it is tried again")
UNREADY = BackendUnready("there is no table", code="db.E026", hint="run: manage migrate")


@pytest.mark.parametrize(
    ("error", "level", "shown"),
    [
        (AWAY, logging.WARNING, "[jobs.E001] the host is down; it is tried again"),
        (OSError("redis://u:secret@host"), logging.WARNING, "OSError: redis://u:***@host"),
        (UNREADY, logging.INFO, "[db.E026] there is no table; run: manage migrate"),
    ],
)
def test_each_trouble_is_two_lines(
    error: Exception, level: int, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    trouble = Trouble()
    with caplog.at_level(logging.INFO, "fastforge.tasks"):
        for activity in ("claim", "renew", "claim"):
            trouble.failed(activity, error)
        trouble.succeeded("claim")
        trouble.succeeded("renew")
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (level, f"the task backend fails, the worker waits for it: {shown}"),
        (logging.INFO, "the task backend works again"),
    ]
