"""What the watchdog has said."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from fastforge.observability.watchdog.reports import logger


class Said(logging.Handler):
    """Keeps the fields of each line, with its event."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append({**vars(record), "event": record.getMessage()})

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]


@pytest.fixture
def said() -> Iterator[Said]:
    handler = Said()
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
