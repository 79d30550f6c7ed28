"""LOGGING takes what people write, and refuses what would spoil a line."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from fastforge.exceptions import SettingsError
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


@pytest.mark.parametrize(
    ("environment", "section", "said", "shape"),
    [
        ("production", Logging(), None, "json"),
        ("development", Logging(), None, "console"),
        ("production", Logging(format="console"), None, "console"),
        ("production", Logging(format="console"), "JSON", "json"),
    ],
)
def test_the_form_is_said_by_the_variable_else_the_setting_else_the_environment(
    environment: str,
    section: Logging,
    said: str | None,
    shape: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if said:
        monkeypatch.setenv("FASTFORGE_LOG_FORMAT", said)
    assert section.format_in(environment) == shape


def test_the_level_is_said_by_the_variable_else_the_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Logging().level_in("production") == "info"
    assert Logging().level_in("production", once=True) == "warning"
    assert Logging(level="error").level_in("production", once=True) == "error"
    monkeypatch.setenv("FASTFORGE_LOG_LEVEL", "debug")
    assert Logging(level="error").level_in("production") == "debug"
    monkeypatch.setenv("FASTFORGE_LOG_LEVEL", "debg")
    with pytest.raises(SettingsError, match="did you mean 'debug'"):
        Logging().level_in("production")
