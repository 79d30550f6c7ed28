"""What an audit event writes, and that the reference has those of browsers' sessions."""

from __future__ import annotations

import logging

import pytest

from fastforge.contrib.sessions import events
from fastforge.contrib.sessions.events import SessionEvent
from fastforge.observability.audit import AuditEvent
from tests.docs.markdown import DOCS, Page


def test_a_line_is_written_by_the_logger_of_its_app_without_what_is_empty(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "fastforge.shop")
    event = AuditEvent(name="shop.refunded", level=logging.WARNING, help="Money was given back.")
    event.write(7, reason="", rule=None, order="a1")
    event.write()
    first, second = caplog.records
    assert (first.name, first.levelname, first.getMessage()) == (
        "fastforge.shop",
        "WARNING",
        "shop.refunded",
    )
    assert vars(first) | {"user_id": "7", "order": "a1"} == vars(first)
    assert not {"reason", "rule"} & vars(first).keys()
    assert "user_id" not in vars(second)


def test_the_reference_has_every_event_of_sessions() -> None:
    declared = {
        name: each.name for name, each in vars(events).items() if isinstance(each, SessionEvent)
    }
    page = Page(DOCS / "reference" / "events.md")
    rows = [row for row in page.heading("Audit").rows() if row[1].startswith("`sessions.")]
    assert {row[0].strip("`"): row[1].strip("`") for row in rows} == declared
