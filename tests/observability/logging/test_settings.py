"""LOGGING takes what people write, and refuses what would spoil a line."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from fastforge.observability import Logging
from fastforge.observability.logging import process_lines


def test_levels_are_taken_as_logging_spells_them() -> None:
    section = Logging.model_validate({"level": "DEBUG", "levels": {"shop": "WARNING"}})
    assert (section.level, section.levels) == ("debug", {"shop": "warning"})


@pytest.mark.parametrize(
    "fields", [{"level": "loud"}, {"format": "logfmt"}, {"fields": {"event": "mine"}},
               {"fields": {"a b": 1}}, {"flush_after_s": -1}]
)  # fmt: skip
def test_what_would_spoil_a_line_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Logging.model_validate(fields)


def test_a_process_has_one_buffer() -> None:
    assert process_lines() is process_lines()
