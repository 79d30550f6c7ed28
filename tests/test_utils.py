"""Small pure helpers: suggestions and what is masked."""

from __future__ import annotations

import pytest

from fastforge._utils import (
    did_you_mean,
    import_hint,
    import_object,
    missing_extra,
    nearest,
    redact,
)


@pytest.mark.parametrize(
    ("typed", "candidates", "found"),
    [
        ("ALOWED_HOSTS", ["ALLOWED_HOSTS", "DEBUG"], "ALLOWED_HOSTS"),
        ("debug", ["DEBUG"], "DEBUG"),
        ("prod", ["development", "test", "production"], "production"),
        ("pro", ["production", "properties"], None),
        ("xyz", ["production"], None),
    ],
)
def test_the_nearest_name_is_found(typed: str, candidates: list[str], found: str | None) -> None:
    assert nearest(typed, candidates) == found


def test_a_suggestion_is_a_question_or_nothing() -> None:
    assert did_you_mean("chek", ["check"]) == "did you mean 'check'?"
    assert did_you_mean("zzz", ["check"]) == ""


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://shop:s3cret@db/shop", "postgresql://shop:***@db/shop"),
        ("redis://:s3cret@cache:6379/0", "redis://:***@cache:6379/0"),
        ("postgresql://u:p@ss@db/x", "postgresql://u:***@db/x"),
        ("connect(password='s3cret', host=db)", "connect(password=***, host=db)"),
        ("API_KEY: abc123", "API_KEY: ***"),
        ("https://example.com/a:b", "https://example.com/a:b"),
    ],
)
def test_what_looks_like_a_password_is_masked(text: str, masked: str) -> None:
    assert redact(text) == masked


def test_an_object_is_imported_by_either_form_of_its_path() -> None:
    assert import_object("collections.abc:Mapping") is import_object("collections.abc.Mapping")


def test_a_missing_extra_gives_the_install_line() -> None:
    error = missing_extra("postgres", "asyncpg")
    assert 'pip install "fastforge-framework[postgres]"' in str(error)
    assert isinstance(error, ImportError)


def failure(source: str) -> BaseException:
    with pytest.raises((ImportError, NameError)) as caught:
        exec(compile(source, "shop.py", "exec"), {})
    return caught.value


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("from collections.abx import Mapping", "did you mean 'collections.abc'?"),
        (
            "import collections.nothing_like_it",
            "create 'collections.nothing_like_it' or mend the import",
        ),
        ("import nowhere_to_be_found", "install 'nowhere_to_be_found' or mend the import"),
        ("from collections.abc import Maping", "did you mean 'Mapping'?"),
        ("import os as systm\nsystem", "did you mean 'systm'?"),
        ("pritn", "did you mean 'print'?"),
    ],
)
def test_what_an_import_most_likely_meant_is_said(source: str, hint: str) -> None:
    assert import_hint(failure(source)).startswith(hint)
