"""env(): typed reading of the environment, and its mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import PostgresDsn

from fastforge.conf import env
from fastforge.conf.recording import Placeholder, Recording, recording
from fastforge.exceptions import SettingsError


def read(environ: dict[str, str], *arguments: Any, **options: Any) -> tuple[Any, Recording]:
    with recording(Recording(environ=environ)) as record:
        return env(*arguments, **options), record


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("8000", int, 8000),
        ("yes", bool, True),
        ("a, b,,c", list[str], ["a", "b", "c"]),
        ('["a,b"]', list[str], ["a,b"]),
        ("1,2", tuple[int, ...], (1, 2)),
        ('{"a": 1}', dict[str, int], {"a": 1}),
        ("none", int | None, None),
        ("7", int | None, 7),
        ("a, b", list[str] | None, ["a", "b"]),
        ("", list[str] | None, None),
        ('{"a": 1}', dict[str, int] | None, {"a": 1}),
        ("", list[str], []),
    ],
)
def test_a_variable_is_parsed_as_its_type(text: str, type_: Any, value: object) -> None:
    assert read({"X": text}, "X", type_)[0] == value


def test_without_a_type_the_type_of_the_default_is_used() -> None:
    assert read({"X": "3"}, "X", default=1)[0] == 3


def test_a_missing_variable_without_default_is_recorded_and_stands_for_anything() -> None:
    value, record = read({"DATABSE_URL": "x"}, "DATABASE_URL")
    assert isinstance(value, Placeholder)
    assert value.upper() + "x" is not None
    [error] = record.errors
    assert error.code == "conf.E007"
    assert error.hint == "did you mean 'DATABSE_URL'?"
    assert str(error.where).endswith(f"test_variables.py:{read.__code__.co_firstlineno + 2}")


def test_a_wrong_value_names_the_variable_the_type_and_an_example() -> None:
    _, record = read({"PORT": "many"}, "PORT", int)
    message = str(record.errors[0])
    assert "PORT should be int, got 'many'" in message
    assert "for example PORT=10" in message


def test_the_example_of_what_may_be_none_is_a_value() -> None:
    _, record = read({"PORT": "many"}, "PORT", int | None)
    assert "for example PORT=10" in str(record.errors[0])


def test_the_password_of_a_url_that_is_wrong_is_not_shown() -> None:
    _, record = read({"DATABASE_URL": "mysql://shop:pa55word@db/shop"}, "DATABASE_URL", PostgresDsn)
    message = str(record.errors[0])
    assert "got 'mysql://shop:***@db/shop'" in message
    assert "pa55word" not in message


def test_outside_a_load_a_mistake_is_raised_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASTFORGE_NOT_SET", raising=False)
    with pytest.raises(SettingsError, match="FASTFORGE_NOT_SET is not set"):
        env("FASTFORGE_NOT_SET")


def test_a_secret_may_stand_in_a_file_and_is_remembered_for_masking(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    with recording(Recording(environ={"KEY_FILE": str(tmp_path / "key")})) as record:
        assert env.secret("KEY") == "s3cret"
    assert record.secrets == {"s3cret"}
    assert record.variables[0].source == "file of KEY_FILE"


def test_a_secret_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    with recording(Recording(environ={"KEY_FILE": str(tmp_path / "absent")})) as record:
        env.secret("KEY")
    assert "No such file" in str(record.errors[0])


def test_a_secret_and_its_file_together_are_refused() -> None:
    with recording(Recording(environ={"KEY": "a", "KEY_FILE": "b"})) as record:
        env.secret("KEY")
    assert record.errors[0].code == "conf.E009"


def test_a_wrong_secret_is_not_shown() -> None:
    with recording(Recording(environ={"PIN": "12a"})) as record:
        env("PIN", int)
        env.secret("PIN")
    assert record.secrets == {"12a"}


def test_the_default_of_a_secret_is_masked_as_well() -> None:
    with recording(Recording(environ={})) as record:
        assert env.secret("KEY", default="sk_live_default") == "sk_live_default"
    assert record.secrets == {"sk_live_default"}
