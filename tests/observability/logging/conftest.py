"""A process that is configured for the length of one test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from fastforge.observability.logging.configuration import Configuration
from fastforge.observability.logging.output import process_lines
from fastforge.observability.logging.process import logging_entered

Told = Callable[[], list[dict[str, Any]]]
Enter = Callable[..., Told]


@pytest.fixture
def enter(capsys: pytest.CaptureFixture[str]) -> Iterator[Enter]:
    """Configure this process, and give what reads the lines since."""

    def entered(**choices: Any) -> Told:
        wanted = {"role": "web", "shape": "json", **choices}
        stack.enter_context(logging_entered(Configuration(**wanted)))

        def told() -> list[dict[str, Any]]:
            process_lines().flush()
            return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

        return told

    with ExitStack() as stack:
        yield entered
